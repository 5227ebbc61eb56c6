package marble

import (
	"fmt"
	"math/big"
	"regexp"
	"strings"
	"time"
)

// units are the ones a diagram knows, longest first.
var units = []struct {
	name   string
	length time.Duration
}{
	{"h", time.Hour},
	{"m", time.Minute},
	{"s", time.Second},
	{"ms", time.Millisecond},
}

// timeWord is a number with a unit, which may be wrong or missing.
var timeWord = regexp.MustCompile(`^([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|ns|us|µs|μs|)$`)

// timeIn is the number and the unit of a word that is a time; nil if it is none. A lone digit
// is a value.
func timeIn(word string) []string {
	if len(word) == 1 {
		return nil
	}
	return timeWord.FindStringSubmatch(word)
}

// parseDuration reads a word that timeWord matched; complaint is empty, or says what is
// wrong with it.
func parseDuration(number, unit string) (d time.Duration, complaint string) {
	if unit == "" {
		return 0, fmt.Sprintf("a duration without a unit: write %sms, or s, m, h; a value %s that begins a word is [%s]",
			number, number[:1], number[:1])
	}
	for _, u := range units {
		if u.name != unit {
			continue
		}
		length, _ := new(big.Rat).SetString(number)
		length.Mul(length, new(big.Rat).SetInt64(int64(u.length)))
		switch {
		case !length.IsInt():
			return 0, "a duration finer than a nanosecond"
		case !length.Num().IsInt64():
			return 0, tooLong
		}
		return time.Duration(length.Num().Int64()), ""
	}
	return 0, fmt.Sprintf("a duration in %s: the units are ms, s, m and h, with fractions as in 0.5ms", unit)
}

const tooLong = "a diagram longer than a time.Duration can say, 292 years"

// formatDuration writes a time as diagrams have it: one number, one unit.
func formatDuration(d time.Duration) string {
	for _, u := range units {
		if d%u.length == 0 {
			return fmt.Sprintf("%d%s", d/u.length, u.name)
		}
	}
	text := fmt.Sprintf("%d.%06d", d/time.Millisecond, d%time.Millisecond)
	return strings.TrimRight(text, "0") + "ms"
}
