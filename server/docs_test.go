package server_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/callosum-go/rover/internal/lab/kit"
)

// The code of docs/server.md stands in example_test.go, layout aside.
func TestThePagesCodeIsCompiled(t *testing.T) {
	words := func(code string) string { return strings.Join(strings.Fields(code), " ") }
	page := string(kit.Must(os.ReadFile("../docs/server.md"))(t))
	examples := words(string(kit.Must(os.ReadFile("example_test.go"))(t)))
	blocks := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(page, -1)
	if len(blocks) == 0 {
		t.Fatal("the page has no code")
	}
	for _, block := range blocks {
		for part := range strings.SplitSeq(block[1], "\n\n") {
			if !strings.Contains(examples, words(part)) {
				t.Errorf("example_test.go does not have\n%s", part)
			}
		}
	}
}
