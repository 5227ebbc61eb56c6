package discover_test

import (
	"strings"
	"testing"
	"time"

	"github.com/callosum-go/rover/discover"
	"github.com/callosum-go/rover/internal/lab/kit"
)

func TestParse(t *testing.T) {
	for _, text := range []string{"dns://cache.internal:4040", "srv://_slot._tcp.example.org", "file:servers.json", "file:///etc/servers.json", "file:../a"} {
		if source, err := discover.Parse(text); err != nil || source == nil {
			t.Errorf("%s: %v", text, err)
		}
	}
	for _, text := range []string{"", "cache.internal", "dns:cache:1", "dns://cache", "dns://cache:0", "dns://cache:65536", "dns://cache:http",
		"dns://127.0.0.1:1", "dns://:1", "dns://a:1/b", "srv://", "srv://a:1", "srv://a/b", "file:", "file://", "http://a", "dns://a:1\nb"} {
		_, err := discover.Parse(text)
		if err == nil || !strings.HasPrefix(err.Error(), "discover: ") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %v, want an error of one line", text, err)
		}
	}
	_, err := discover.Parse("file:a", discover.WithTimeout(-time.Second))
	kit.Equal(t, "error", err.Error(), "discover: timeout must be positive, got -1s")
}
