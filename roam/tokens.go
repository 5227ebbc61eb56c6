package roam

// Tokens bound the dials: a bucket that holds so many and gets as many an
// interval. Every dial takes one.
type tokens struct {
	left  float64
	at    Time
	begun bool // the bucket is full when it is first used
}

func (t *tokens) take(now Time, size float64) bool {
	if !t.begun {
		t.left, t.begun = size, true
	}
	t.left = min(size, t.left+float64(max(now-t.at, 0))*size)
	t.at = now
	if t.left < 1 {
		return false
	}
	t.left--
	return true
}
