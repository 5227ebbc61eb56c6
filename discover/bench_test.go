package discover_test

import (
	"context"
	"encoding/json"
	"maps"
	"path/filepath"
	"testing"
	"time"

	"github.com/reactivex/rxgo/v2"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/discover"
	"github.com/callosum-go/rover/internal/lab/kit"
	"github.com/callosum-go/rover/internal/lab/sources"
)

// One change of 1 % of 10,000 servers, from the answer to the subscriber. One a
// second costs a part of a core: ns/op of a second.
func BenchmarkOneInAHundredChanges(b *testing.B) {
	set, turn := sources.Servers(0, 10_000), 0
	ids := make([]string, 0, len(set))
	for id := range set {
		ids = append(ids, id)
	}
	ctx, cancel := context.WithCancel(context.Background())
	items := discover.Watch("", func(_ context.Context, changed func()) discover.Look {
		return func(context.Context) (discover.Answer, error) {
			turn++
			for i := range 100 {
				set[ids[(turn*100+i)%len(ids)]] = rover.Server{Host: "h", Port: 1 + turn%60000}
			}
			return discover.Answer{Servers: set}, nil
		}
	}, discover.WithRefresh(1, 1)).Observe(rxgo.WithContext(ctx))
	b.ReportAllocs()
	for b.Loop() {
		<-items
	}
	cancel()
	for range items {
	}
}

// A file of 100,000 servers, from its replacement to the set.
func BenchmarkFileOfAHundredThousand(b *testing.B) {
	path := filepath.Join(b.TempDir(), "servers.json")
	write, set := renamed(b, path), sources.Servers(0, 60_000)
	for i := range 40_000 {
		set[string(rune('a'+i%26))+string(kit.Must(json.Marshal(i))(b))] = rover.Server{Host: "host.example.org", Port: 4040}
	}
	texts := [2][]byte{}
	texts[0] = kit.Must(json.Marshal(set))(b)
	other := maps.Clone(set)
	other["new"] = rover.Server{Host: "h", Port: 1}
	texts[1] = kit.Must(json.Marshal(other))(b)
	write(texts[0])
	ctx, cancel := context.WithCancel(context.Background())
	items := discover.File(path, discover.WithRefresh(time.Hour, time.Hour)).Observe(rxgo.WithContext(ctx))
	<-items
	turn := 0
	for b.Loop() {
		turn++
		write(texts[turn%2])
		<-items
	}
	cancel()
	for range items {
	}
}
