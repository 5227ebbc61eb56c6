// Package real has other people's clients over the pool, and other people's
// servers behind it: what they do when a server joins, restarts and leaves.
package real
