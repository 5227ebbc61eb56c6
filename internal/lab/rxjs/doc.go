// Package rxjs holds this project's operators and marble tests to RxJS 7.8.2. It is all
// tests; its data are marble cases that nobody here wrote:
//
//   - testdata/spec.json: RxJS's own marble specs that have a counterpart here, as data:
//     sources, operators, what callbacks were asked and returned, expected diagrams and
//     subscriptions. RxJS is under the Apache licence, version 2.0.
//   - testdata/fuzz.json: random pipelines with what RxJS did.
//
// testdata/known.txt names the cases that differ, each with the reason. The test fails when
// another case differs, and when one of these no longer does: then its line goes.
//
// The program in fuzz makes new random pipelines.
package rxjs
