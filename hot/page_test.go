package hot_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// docs/rxgo.md names a test for each of its claims. They must exist, and each
// test of RxGo must be named there.
func TestThePageAndItsTests(t *testing.T) {
	page, err := os.ReadFile("../docs/rxgo.md")
	if err != nil {
		t.Fatal(err)
	}
	named := map[string]bool{}
	for _, name := range regexp.MustCompile(`Test\w+`).FindAllString(string(page), -1) {
		named[name] = true
	}
	files, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	exists := map[string]bool{}
	for _, file := range files {
		code, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range regexp.MustCompile(`(?m)^func (Test\w+)`).FindAllStringSubmatch(string(code), -1) {
			exists[found[1]] = true
		}
	}
	for name := range named {
		if !exists[name] {
			t.Errorf("docs/rxgo.md names %s, which does not exist", name)
		}
	}
	for name := range exists {
		if strings.HasPrefix(name, "TestRxGo") && !named[name] {
			t.Errorf("docs/rxgo.md does not name %s", name)
		}
	}
}
