package discover_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/callosum-go/rover/internal/lab/kit"
)

// The page's Go is that of the examples, to the letter.
func TestTheDocsShowTheExamples(t *testing.T) {
	page := string(kit.Must(os.ReadFile("../docs/discovery.md"))(t))
	examples := string(kit.Must(os.ReadFile("example_test.go"))(t))
	blocks := regexp.MustCompile("(?s)```go\n(.*?)\n```").FindAllStringSubmatch(page, -1)
	kit.Equal(t, "blocks of Go", len(blocks), 2)
	for _, block := range blocks {
		if code := "\n\t" + strings.ReplaceAll(block[1], "\n", "\n\t") + "\n"; !strings.Contains(examples, code) {
			t.Errorf("no example has this:\n%s", block[1])
		}
	}
}
