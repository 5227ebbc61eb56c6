package discover_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/reactivex/rxgo/v2"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/discover"
)

func Example() {
	var health discover.Health
	servers := discover.DNS("cache.internal", 4040, discover.WithHealth(&health))
	stream, err := rover.New(rover.WithServerSets(servers))
	if err != nil {
		panic(err)
	}
	defer stream.Stop()
	if age, ok := health.Now().Age(time.Now()); ok && age > 5*time.Minute {
		fmt.Println("the set is old")
	}
}

func ExampleFile() {
	dir, _ := os.MkdirTemp("", "")
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "servers.json")
	_ = os.WriteFile(path, []byte(`{"a": "10.0.0.1:4040", "b": "[2001:db8::1]:4040"}`), 0o644)

	ctx, cancel := context.WithCancel(context.Background())
	sets := discover.File(path).Observe(rxgo.WithContext(ctx))
	fmt.Println((<-sets).V)
	cancel()
	for range sets {
	}
	// Output: map[a:10.0.0.1:4040 b:[2001:db8::1]:4040]
}

func ExamplePoll() {
	servers := discover.Poll(func(ctx context.Context) (map[string]rover.Server, time.Duration, error) {
		set := map[string]rover.Server{"a": {Host: "10.0.0.1", Port: 4040}}
		return set, 10 * time.Second, nil // look again after 10 s
	})
	ctx, cancel := context.WithCancel(context.Background())
	sets := servers.Observe(rxgo.WithContext(ctx))
	fmt.Println((<-sets).V)
	cancel()
	for range sets {
	}
	// Output: map[a:10.0.0.1:4040]
}

func ExampleParse() {
	_, err := discover.Parse("dns://cache.internal")
	fmt.Println(err)
	// Output: discover: "dns://cache.internal" must be dns://name:port, with a port from 1 to 65535
}
