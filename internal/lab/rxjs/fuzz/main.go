// Command fuzz makes random pipelines, asks RxJS 7.8.2 what they do, and compares. It needs
// Node and the package rxjs from npm:
//
//	npm install --prefix /tmp/rxjs rxjs@7.8.2
//	NODE_PATH=/tmp/rxjs/node_modules go run ./internal/lab/rxjs/fuzz -count 20000
//
// It prints the sets of operators that differ most, each with the smallest case (docs/rxjs.md says
// which differences are meant); -out keeps the cases, for
//
//	RXJS_CASES=$PWD/cases.json go test -run 'TestEach/NAME$' -v ./internal/lab/rxjs
package main

import (
	_ "embed"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

//go:embed fuzz.js
var script []byte

func main() {
	log.SetFlags(0)
	log.SetPrefix("fuzz: ")
	seed := flag.Int("seed", 1, "seed of the random pipelines")
	count := flag.Int("count", 20000, "how many pipelines")
	mode := flag.String("mode", "all", "operators: core, native or all")
	out := flag.String("out", "", "file that keeps the cases")
	flag.Parse()
	folder, err := os.MkdirTemp("", "rxjs")
	if err != nil {
		log.Fatal(err)
	}
	failed, err := compare(folder, *out, *seed, *count, *mode)
	os.RemoveAll(folder)
	if err != nil {
		log.Fatal(err)
	}
	if failed > 0 {
		os.Exit(1)
	}
}

// compare returns how many of the pipelines differ.
func compare(folder, out string, seed, count int, mode string) (int, error) {
	js := filepath.Join(folder, "fuzz.js")
	if err := os.WriteFile(js, script, 0o600); err != nil {
		return 0, err
	}
	if out == "" {
		out = filepath.Join(folder, "cases.json")
	}
	out, err := filepath.Abs(out)
	if err != nil {
		return 0, err
	}
	node := exec.Command("node", js, fmt.Sprint(seed), fmt.Sprint(count), mode, out)
	node.Stderr = os.Stderr
	if err := node.Run(); err != nil {
		return 0, fmt.Errorf("node: %w (is NODE_PATH where rxjs is?)", err)
	}
	cases, err := read(out)
	if err != nil {
		return 0, err
	}
	test := exec.Command("go", "test", "-run", "^TestEach$", "-v", "-timeout", "30m", "github.com/callosum-go/rover/internal/lab/rxjs")
	test.Env = append(os.Environ(), "RXJS_CASES="+out)
	output, err := test.CombinedOutput() // its error is that a case differs
	results := regexp.MustCompile(`(?m)^ +--- (PASS|FAIL|SKIP): TestEach/(\S+) `).FindAllSubmatch(output, -1)
	if len(results) != len(cases) {
		return 0, fmt.Errorf("%d of %d cases ran: %v\n%s", len(results), len(cases), err, output[max(0, len(output)-4000):])
	}
	counts := map[string]int{}
	smallest := map[string]string{} // of a set of operators
	for _, r := range results {
		verdict, name := string(r[1]), string(r[2])
		counts[verdict]++
		if verdict != "FAIL" {
			continue
		}
		set := cases[name].operators()
		counts[set]++
		if old, ok := smallest[set]; !ok || cases[name].size() < cases[old].size() {
			smallest[set] = name
		}
	}
	report(counts, smallest)
	return counts["FAIL"], nil
}

// report prints the sets of operators that differ, the 30 most frequent.
func report(counts map[string]int, smallest map[string]string) {
	var sets []string
	for set := range smallest {
		sets = append(sets, set)
	}
	slices.SortFunc(sets, func(a, b string) int { return counts[b] - counts[a] })
	for _, set := range sets[:min(len(sets), 30)] {
		fmt.Printf("%6d  %-28s %s\n", counts[set], smallest[set], set)
	}
	fmt.Printf("%d as RxJS, %d differ, %d have no counterpart here\n", counts["PASS"], counts["FAIL"], counts["SKIP"])
}

// pipeline is what a case says of itself here.
type pipeline struct {
	ID    string
	Nodes []struct{ Op, D string }
}

func read(file string) (map[string]pipeline, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var all []pipeline
	if err := json.Unmarshal(data, &all); err != nil {
		return nil, err
	}
	byName := map[string]pipeline{}
	for _, p := range all {
		byName[p.ID] = p
	}
	return byName, nil
}

// operators are those of the pipeline, once each, by name.
func (p pipeline) operators() string {
	var names []string
	for _, n := range p.Nodes {
		if n.Op != "hot" && n.Op != "cold" {
			names = append(names, n.Op)
		}
	}
	slices.Sort(names)
	return strings.Join(slices.Compact(names), " ")
}

func (p pipeline) size() (n int) {
	for _, node := range p.Nodes {
		n += 10 + len(node.D)
	}
	return n
}
