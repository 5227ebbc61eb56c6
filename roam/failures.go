package roam

import "math"

// Failures are the servers that did not answer lately: the cycle passes over
// them for a while, which doubles with each failure in a row.
type failures map[int32]failure

type failure struct {
	count int // in a row
	until Time
}

// add notes a failure; spread is from 0 to 1.
func (f *failures) add(now Time, server int32, spread float64) {
	n := (*f)[server].count + 1
	wait := min(math.Pow(2, float64(n-1)), longestBackoff) * (1 + backoffSpread*spread)
	f.set(server, failure{n, now + Time(wait)})
}

// drains notes a server that wants to be left.
func (f *failures) drains(now Time, server int32) {
	f.set(server, failure{0, now + longestBackoff})
}

func (f *failures) set(server int32, x failure) {
	if *f == nil {
		*f = make(failures)
	}
	(*f)[server] = x
}

// out is true while the server is not to be dialed.
func (f failures) out(now Time, server int32) bool {
	x, failed := f[server]
	return failed && x.until > now
}
