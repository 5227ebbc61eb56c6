package kit

import (
	"os"
	"strings"
)

const descriptors = "/proc/self/fd"

// Descriptors counts what this process has open: 0 where the system does not say.
func Descriptors() int {
	open, _ := os.ReadDir(descriptors)
	return len(open)
}

// Sockets counts the sockets among them. Package net keeps pipes to splice
// with, which a count of all would find left over.
func Sockets() (n int) {
	open, _ := os.ReadDir(descriptors)
	for _, fd := range open {
		if link, _ := os.Readlink(descriptors + "/" + fd.Name()); strings.HasPrefix(link, "socket:") {
			n++
		}
	}
	return n
}
