package simulate

import (
	"encoding/json"
	"fmt"
	"math"
)

// A Result is what all seeds of a Config came to.
type Result struct {
	Config
	Settled Spread  `json:"settled"`    // until the fleet is full and within ±10 % of the mean, or its floor and ceiling, for good
	Exact   Spread  `json:"exact"`      // until no two servers differ by more than one, for good
	Filled  Spread  `json:"filled"`     // until the server that came has 0.9 of its share
	Churn   Spread  `json:"churn"`      // moves a connection, in 20 intervals
	Least   float64 `json:"leastChurn"` // what had to move, of all connections
	Steady  float64 `json:"steady"`     // dials a client and interval at rest, before the event
	Busiest Spread  `json:"busiest"`    // accepts of one server in one interval, over the mean load
	Watched float64 `json:"watched"`    // what the server the event is about has in the end, over the mean load
	Bands   []Band  `json:"bands"`      // from before the event to 30 intervals after it
}

// A Band is connections a server at a moment, over all seeds: the median of
// the least, of the mean, and of the most.
type Band struct {
	At    float64 `json:"at"` // 0 is at once after the event, less is before
	Least float64 `json:"least"`
	Mean  float64 `json:"mean"`
	Most  float64 `json:"most"`
}

// A Spread is how seeds differ. Infinite is never.
type Spread struct {
	Median, P95, Worst float64
}

// String returns, for example, "0.75 / 1.5 / 2".
func (s Spread) String() string {
	return fmt.Sprintf("%s / %s / %s", number(s.Median), number(s.P95), number(s.Worst))
}

// MarshalJSON has null for never.
func (s Spread) MarshalJSON() ([]byte, error) {
	finite := func(v float64) *float64 {
		if math.IsInf(v, 0) {
			return nil
		}
		return &v
	}
	return json.Marshal(struct {
		Median *float64 `json:"median"`
		P95    *float64 `json:"p95"`
		Worst  *float64 `json:"worst"`
	}{finite(s.Median), finite(s.P95), finite(s.Worst)})
}

func number(v float64) string {
	switch {
	case math.IsInf(v, 1):
		return "never"
	case v == math.Trunc(v*4)/4:
		return fmt.Sprintf("%g", v)
	default:
		return fmt.Sprintf("%.2f", v)
	}
}

func summarize(config Config, runs []run) Result {
	of := func(get func(run) float64) []float64 {
		var all []float64
		for _, r := range runs {
			all = append(all, get(r))
		}
		return all
	}
	spread := func(get func(run) float64) Spread {
		all := of(get)
		return Spread{rounded(percentile(all, 0.5)), rounded(percentile(all, 0.95)), rounded(percentile(all, 1))}
	}
	mean := func(get func(run) float64) float64 {
		sum := 0.0
		for _, v := range of(get) {
			sum += v
		}
		return rounded(sum / float64(len(runs)))
	}
	result := Result{
		Config:  config,
		Settled: spread(func(r run) float64 { return r.settled }),
		Exact:   spread(func(r run) float64 { return r.exact }),
		Filled:  spread(func(r run) float64 { return r.filled }),
		Churn:   spread(func(r run) float64 { return r.churn }),
		Least:   mean(func(r run) float64 { return r.least }),
		Steady:  mean(func(r run) float64 { return r.steady }),
		Busiest: spread(func(r run) float64 { return r.busiest }),
		Watched: mean(func(r run) float64 { return r.watched }),
	}
	result.Bands = bands(runs, !config.Event.Cold())
	return result
}

// rounded to six digits behind the point, for people to read.
func rounded(v float64) float64 { return math.Round(v*1e6) / 1e6 }

// plotted is how much of what follows an event the bands show, in intervals.
const plotted = 30

func bands(runs []run, before bool) (all []Band) {
	at := 0.0
	if before {
		at = -sample
	}
	for i := 0; i < len(runs[0].looks) && at <= plotted; i++ {
		median := func(get func(look) float64) float64 {
			var values []float64
			for _, r := range runs {
				values = append(values, get(r.looks[i]))
			}
			return percentile(values, 0.5)
		}
		all = append(all, Band{at,
			rounded(median(func(l look) float64 { return l.least })),
			rounded(median(func(l look) float64 { return l.mean })),
			rounded(median(func(l look) float64 { return l.most }))})
		at += sample
	}
	return all
}
