package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/callosum-go/rover/roam"
	"github.com/callosum-go/rover/roam/simulate"
	"github.com/urfave/cli/v3"
)

func simulateCommand() *cli.Command {
	return &cli.Command{
		Name:  "simulate",
		Usage: "see how soon a fleet is even again after an event, and what that costs",
		Description: "Events are of a fleet that has settled, and these with their defaults:\n\n" + strings.Join(simulate.EventUsage(), "\n") +
			"\n\nPolicies to compare with:\n\n" + policyUsage(),
		Flags: []cli.Flag{
			&countFlag{Name: "clients", Usage: "`N` clients", Value: 1000, Config: span{1, 100_000}},
			&countFlag{Name: "servers", Usage: "`N` servers", Value: 100, Config: span{1, 10_000}},
			&countFlag{Name: "max", Usage: "each client keeps `N` connections", Value: 4, Config: span{1, 1000}},
			&cli.StringFlag{Name: "event", Usage: "`NAME[=N]` is what happens, with a number or a share of N", Value: "add=20%"},
			&cli.StringFlag{Name: "policy", Usage: "`NAME` of another policy to compare with, such as random"},
			&countFlag{Name: "seeds", Usage: "`N` runs, each with a seed of its own", Value: 20, Config: span{1, 10_000}},
			&countFlag{Name: "seed", Usage: "`N` is the first seed; the same seeds have the same result", Value: 1, Config: span{0, math.MaxInt}},
			&durationFlag{Name: "interval", Usage: "`TIME` of an interval", Value: time.Second},
			&durationFlag{Name: "rtt", Usage: "`TIME` of a round trip, in the median", Value: 10 * time.Millisecond},
			&shareFlag{Name: "loss", Usage: "`SHARE` of the SYNs are lost", HideDefault: true},
			&shareFlag{Name: "slow-clients", Usage: "`SHARE` of the clients have 20 times the round trip", HideDefault: true},
			&shareFlag{Name: "slow-servers", Usage: "`SHARE` of the servers answer 0.2 intervals late", HideDefault: true},
			&shareFlag{Name: "drift", Usage: "clocks differ by up to a `SHARE`", Value: simulate.DefaultNetwork.Drift},
			&durationFlag{Name: "late", Usage: "a set change takes up to `TIME` to reach a client", HideDefault: true},
			&switchFlag{Name: "together", Usage: "all clients start at one time, and their clocks beat together", HideDefault: true},
			&switchFlag{Name: "mixed", Usage: "clients keep max/4, max/2, max or 9/4 of max", HideDefault: true},
			&countFlag{Name: "idle", Usage: "`N` is the longest stretch between two dials at rest, in intervals", Value: roam.DefaultIdle, Config: span{1, 10_000}},
			&cli.StringFlag{Name: "plot", Usage: "draw how connections spread, as an SVG to `FILE`"},
			&switchFlag{Name: "json", Usage: "print one JSON object a line", HideDefault: true},
		},
		Action: func(ctx context.Context, c *cli.Command) error {
			configs, err := simulations(c)
			if err != nil {
				return err
			}
			results, err := simulateAll(ctx, c, configs)
			if err != nil || results == nil {
				return err
			}
			if file := c.String("plot"); file != "" {
				if err := plotTo(file, results); err != nil {
					return err
				}
			}
			return printResults(c, results)
		},
	}
}

// simulations are what the flags want: rove, and the policy to compare with.
func simulations(c *cli.Command) ([]simulate.Config, error) {
	event, err := simulate.ParseEvent(c.String("event"))
	if err != nil {
		return nil, usagef("--event %q: %s", c.String("event"), plainly(err))
	}
	interval := float64(c.Duration("interval"))
	config := simulate.Config{
		Fleet: simulate.Fleet{Clients: c.Int("clients"), Servers: c.Int("servers"), Max: c.Int("max"), Mixed: c.Bool("mixed")},
		Network: simulate.Network{
			RTT: float64(c.Duration("rtt")) / interval, Loss: c.Float("loss"), Drift: c.Float("drift"),
			Together: c.Bool("together"), SlowClients: c.Float("slow-clients"), SlowServers: c.Float("slow-servers"), Late: float64(c.Duration("late")) / interval,
		},
		Event: event, Policy: simulate.Rove, Core: roam.Config{Idle: roam.Time(c.Int("idle"))},
		Seeds: c.Int("seeds"), Seed: uint64(c.Int("seed")),
	}
	if err := config.Check(); err != nil {
		return nil, usagef("%s", plainly(err))
	}
	configs := []simulate.Config{config}
	if name := c.String("policy"); name != "" {
		if config.Policy, err = simulate.FindPolicy(name); err != nil {
			return nil, usagef("--policy %q: %s", name, plainly(err))
		}
		if config.Policy.Name != simulate.Rove.Name {
			configs = append(configs, config)
		}
	}
	return configs, nil
}

// plainly is an error of package simulate as this command says it.
func plainly(err error) string { return strings.TrimPrefix(err.Error(), "simulate: ") }

// simulateAll returns no results if a signal ends ctx.
func simulateAll(ctx context.Context, c *cli.Command, configs []simulate.Config) (results []simulate.Result, err error) {
	bar := newProgress(c.Root().ErrWriter, time.Now, len(configs)*configs[0].Seeds)
	defer bar.clear()
	for i, config := range configs {
		result, err := simulate.Run(ctx, config, func(seeds int) { bar.show(i*config.Seeds + seeds) })
		switch {
		case ctx.Err() != nil:
			return nil, nil
		case err != nil:
			return nil, err
		}
		results = append(results, result)
	}
	return results, nil
}

func plotTo(file string, results []simulate.Result) error {
	f, err := os.Create(file)
	if err != nil {
		return fmt.Errorf("--plot: %w", err)
	}
	err = simulate.Plot(f, results...)
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("--plot: %w", err)
	}
	return nil
}

func printResults(c *cli.Command, results []simulate.Result) error {
	var text string
	if c.Bool("json") {
		for _, r := range results {
			text += string(encode(r))
		}
	} else {
		text = tabulate(results)
	}
	if _, err := c.Root().Writer.Write([]byte(text)); err != nil {
		return fmt.Errorf("writing the output: %w", err)
	}
	return nil
}

// tabulate is the results for people to read.
func tabulate(results []simulate.Result) string {
	r := results[0]
	rows := [][]string{
		{"policy", "settled", "moved", "at rest", "busiest"},
		{"", "median, p95, worst", "of all", "dials", "accepts"},
	}
	for _, r := range results {
		rest := fmt.Sprintf("%.3f", r.Steady)
		if r.Event.Cold() {
			rest = ""
		}
		rows = append(rows, []string{r.Policy.Name, r.Settled.String(), fmt.Sprintf("%.1f %%", 100*r.Churn.Median), rest, fmt.Sprintf("%.1f", r.Busiest.Median)})
	}
	text := fmt.Sprintf("%s × %s, %s: %v, %s\n\n", count(r.Fleet.Clients, "client"), count(r.Fleet.Max, "connection"), count(r.Fleet.Servers, "server"), r.Event, count(r.Seeds, "seed")) +
		align(rows, 2, 3, 4) + fmt.Sprintf(`
settled  intervals until all pools are full and each server is within 10 %% of
         the mean, or at its floor or ceiling, for good
moved    connections given up for others; %.1f %% is the least
at rest  dials a client and interval, before the event
busiest  accepts of one server in one interval, in mean loads
`, 100*r.Least)
	for _, r := range results {
		if needs := r.Policy.Needs(); needs != "" {
			text += fmt.Sprintf("\n%s needs %s.\n", r.Policy.Name, needs)
		}
	}
	return text
}

func policyUsage() string {
	var rows [][]string
	for _, p := range simulate.Policies() {
		if p.Name != simulate.Rove.Name {
			rows = append(rows, []string{p.Name, p.Summary})
		}
	}
	return strings.TrimSpace(align(rows))
}

// A shareFlag is from 0 to 1, or a percentage.
type shareFlag = cli.FlagBase[float64, cli.NoConfig, value[float64, cli.NoConfig, share]]

type share struct{}

func (share) show(v float64) string { return strconv.FormatFloat(100*v, 'g', -1, 64) + "%" }

func (share) parse(s string, into *float64, _ cli.NoConfig) error {
	digits, percent := strings.CutSuffix(s, "%")
	v, err := strconv.ParseFloat(digits, 64)
	if percent {
		v /= 100
	}
	if err != nil || !(v >= 0 && v <= 1) {
		return errors.New("want a share from 0 to 1, such as 0.05 or 5%")
	}
	*into = v
	return nil
}
