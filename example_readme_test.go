package rover_test

import (
	"os"
	"strings"
	"testing"
)

// The README's example is ExampleStream, to the letter.
func TestTheReadmesExampleCompiles(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("example_test.go")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(source), "func ExampleStream() {\n")
	body, _, ends := strings.Cut(rest, "\n}\n")
	if !found || !ends {
		t.Fatal("no ExampleStream in example_test.go")
	}
	body = strings.ReplaceAll("\n"+body, "\n\t", "\n")
	if !strings.Contains(string(readme), "```go"+body+"\n```") {
		t.Errorf("the README does not show ExampleStream's body:%s", body)
	}
}
