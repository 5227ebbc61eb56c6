package rxjs

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/callosum-go/rover/marble"
)

// files is set in the process that runs the cases; see TestCases. It names the files with
// cases, separated by commas.
const files = "RXJS_CASES"

// Every case holds but the known ones, and those do not. The cases run in a process of their
// own, for there a test may fail.
func TestCases(t *testing.T) {
	if os.Getenv(files) != "" {
		t.Skip("this process runs the cases")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	child := exec.Command(self, "-test.run=^TestEach$", "-test.v", "-test.timeout=120s")
	child.Env = append(os.Environ(), files+"=testdata/spec.json,testdata/fuzz.json")
	output, err := child.CombinedOutput()
	if !bytes.Contains(output, []byte("--- FAIL: TestEach")) && !bytes.Contains(output, []byte("--- PASS: TestEach")) {
		t.Fatalf("the cases did not run to their end: %v\n%s", err, output)
	}
	known := knownCases(t)
	ran := 0
	for _, line := range regexp.MustCompile(`(?m)^ +--- (PASS|FAIL): TestEach/(\S+) `).FindAllSubmatch(output, -1) {
		name, failed := string(line[2]), string(line[1]) == "FAIL"
		why, isKnown := known[name]
		delete(known, name)
		ran++
		switch {
		case strings.HasPrefix(why, "chance"):
		case failed && !isKnown:
			t.Errorf("%s differs from RxJS: RXJS_CASES=testdata/spec.json,testdata/fuzz.json go test -run 'TestEach/%s$' ./internal/lab/rxjs", name, name)
		case !failed && isKnown:
			t.Errorf("%s is as in RxJS now: take its line out of testdata/known.txt", name)
		}
	}
	for name := range known {
		t.Errorf("testdata/known.txt has %s, which is no case that runs", name)
	}
	if ran < 750 {
		t.Errorf("%d cases ran: there are more than 750", ran)
	}
}

// knownCases has the reason of each case that differs.
func knownCases(t *testing.T) map[string]string {
	text, err := os.ReadFile("testdata/known.txt")
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]string{}
	for line := range strings.Lines(string(text)) {
		name, why, _ := strings.Cut(strings.TrimSpace(line), " ")
		if name != "" && name != "#" {
			known[name] = strings.TrimSpace(why)
		}
	}
	return known
}

// TestEach is each case of the files as a test.
func TestEach(t *testing.T) {
	if os.Getenv(files) == "" {
		t.Skip("TestCases runs it; so does " + files + "=FILE,…")
	}
	for _, file := range strings.Split(os.Getenv(files), ",") {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var all []*recorded
		if err := json.Unmarshal(data, &all); err != nil {
			t.Fatal(err)
		}
		for _, k := range all {
			t.Run(k.ID, func(t *testing.T) { k.test(t) })
		}
	}
}

func (k *recorded) test(t *testing.T) {
	for _, e := range k.Expect {
		if e.Node == nil {
			t.Skip("unknown observable")
		}
		if why := k.cannot(*e.Node); why != "" {
			t.Skip(why)
		}
		if e.Equal != nil {
			if why := k.cannot(*e.Equal); why != "" {
				t.Skip(why)
			}
		}
	}
	defer func() {
		if p := recover(); p != nil {
			t.Errorf("panic: %v", p)
		}
	}()
	marble.Test(t, k.run)
}
