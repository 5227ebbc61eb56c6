package rovergrpc_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/callosum-go/rover/internal/lab/kit"
)

// What docs/grpc.md shows is from the examples, which run.
func TestDocs(t *testing.T) {
	squeeze := func(text []byte) string { return strings.Join(strings.Fields(string(text)), " ") }
	page := kit.Must(os.ReadFile("../docs/grpc.md"))(t)
	examples := squeeze(kit.Must(os.ReadFile("example_test.go"))(t))
	blocks := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllSubmatch(page, -1)
	if len(blocks) == 0 {
		t.Fatal("docs/grpc.md shows nothing")
	}
	for _, block := range blocks {
		if !strings.Contains(examples, squeeze(block[1])) {
			t.Errorf("not in example_test.go:\n%s", block[1])
		}
	}
}
