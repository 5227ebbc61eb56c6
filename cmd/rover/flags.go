package main

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/urfave/cli/v3"
)

// Flags whose errors say what would be right.
type (
	durationFlag = cli.FlagBase[time.Duration, cli.NoConfig, value[time.Duration, cli.NoConfig, positive]]
	countFlag    = cli.FlagBase[int, span, value[int, span, whole]]
	switchFlag   = cli.FlagBase[bool, cli.NoConfig, value[bool, cli.NoConfig, yesNo]]
	weightFlag   = cli.FlagBase[float64, cli.NoConfig, value[float64, cli.NoConfig, weight]]
	serversFlag  = cli.FlagBase[*serverList, cli.NoConfig, value[*serverList, cli.NoConfig, servers]]
)

// A kind says how a flag's T is read and shown, given its configuration C.
type kind[T, C any] interface {
	parse(s string, into *T, c C) error
	show(v T) string
}

// A value is a flag of some kind as the cli package wants it.
type value[T, C any, K kind[T, C]] struct {
	to     *T
	config C
	kind   K
}

func (v value[T, C, K]) Create(initial T, to *T, c C) cli.Value {
	*to = initial
	return value[T, C, K]{to: to, config: c}
}

func (v value[T, C, K]) ToString(t T) string { return v.kind.show(t) }
func (v value[T, C, K]) Set(s string) error  { return v.kind.parse(s, v.to, v.config) }
func (v value[T, C, K]) Get() any            { return *v.to }

// IsBoolFlag says that the flag alone means true.
func (v value[T, C, K]) IsBoolFlag() bool {
	_, ok := any(v.to).(*bool)
	return ok
}

func (v value[T, C, K]) String() string {
	if v.to == nil { // package flag calls it on a zero value
		return ""
	}
	return v.kind.show(*v.to)
}

// positive durations.
type positive struct{}

func (positive) show(d time.Duration) string { return d.String() }

func (positive) parse(s string, into *time.Duration, _ cli.NoConfig) error {
	d, err := time.ParseDuration(s)
	if err != nil || d <= 0 {
		return errors.New("want a duration above 0, such as 200ms, 1s or 1m30s")
	}
	*into = d
	return nil
}

// weight is a number above 0, fractions too.
type weight struct{}

func (weight) show(w float64) string { return strconv.FormatFloat(w, 'g', -1, 64) }

func (weight) parse(s string, into *float64, _ cli.NoConfig) error {
	w, err := strconv.ParseFloat(s, 64)
	if err != nil || !(w > 0) || math.IsInf(w, 0) {
		return errors.New("want a number above 0, such as 2 or 0.5")
	}
	*into = w
	return nil
}

// whole numbers within a span.
type (
	whole struct{}
	span  struct{ lowest, highest int }
)

func (whole) show(n int) string { return strconv.Itoa(n) }

func (whole) parse(s string, into *int, c span) error {
	n, err := strconv.Atoi(s)
	if err != nil || n < c.lowest || n > c.highest {
		if c.highest == math.MaxInt {
			return fmt.Errorf("want a whole number from %d up", c.lowest)
		}
		return fmt.Errorf("want a whole number from %d to %d", c.lowest, c.highest)
	}
	*into = n
	return nil
}

// yesNo is true or false; the flag alone means true.
type yesNo struct{}

func (yesNo) show(yes bool) string { return strconv.FormatBool(yes) }

func (yesNo) parse(s string, into *bool, _ cli.NoConfig) error {
	yes, err := strconv.ParseBool(s)
	if err != nil {
		return errors.New("want true, false or nothing")
	}
	*into = yes
	return nil
}

// servers add up, one for each use of the flag; nil if there are none. The value
// is a pointer because the help text of a slice is too wide.
type servers struct{}

func (servers) show(*serverList) string { return "" }

func (servers) parse(s string, into **serverList, _ cli.NoConfig) error {
	if *into == nil {
		*into = new(serverList)
	}
	return (*into).add(s)
}

// The flags that every command has.
func forFlag(d time.Duration) cli.Flag {
	return &durationFlag{Name: "for", Usage: "end after `TIME`; a signal ends it at any time", Value: d, HideDefault: d == 0}
}

func jsonFlag() cli.Flag {
	return &switchFlag{Name: "json", Usage: "print one JSON object a line, with errors in full", HideDefault: true}
}
