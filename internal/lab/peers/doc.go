// Package peers has the tests and benchmarks of the pool that need modules the
// library itself does without: gRPC over pool and server, and puddle beside
// the pool. It is a module of its own so that the library's stays lean.
package peers
