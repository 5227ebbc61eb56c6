package rovertest

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestPageIsCompiled checks that the code of docs/testing.md stands in example_test.go,
// comments aside.
func TestPageIsCompiled(t *testing.T) {
	page, example := read(t, "../docs/testing.md"), bare(read(t, "example_test.go"))
	blocks := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(page, -1)
	if len(blocks) == 0 {
		t.Fatal("the page has no code")
	}
	for _, block := range blocks {
		for part := range strings.SplitSeq(block[1], "\n\n") {
			if !strings.Contains(example, bare(part)) {
				t.Errorf("example_test.go does not have\n%s", part)
			}
		}
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

var comment = regexp.MustCompile(`(?m)(^|\s)// .*$`)

// bare is code without comments and layout.
func bare(code string) string {
	return strings.Join(strings.Fields(comment.ReplaceAllString(code, "")), " ")
}
