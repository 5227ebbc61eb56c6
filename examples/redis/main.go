// Command redis reads by go-redis from two servers that know nothing of slots:
// relay.Front speaks for them. In production that is "rover front" beside each.
package main
