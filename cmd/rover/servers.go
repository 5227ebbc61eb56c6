package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"

	"github.com/callosum-go/rover"
	"github.com/urfave/cli/v3"
)

// serverFlags are where the servers come from.
func serverFlags() []cli.Flag {
	return []cli.Flag{
		&serversFlag{Name: "server", Usage: "dial `[ID=]HOST:PORT`, IPv6 in brackets; repeatable"},
		&cli.StringFlag{Name: "servers", Usage: "and those in `FILE`: {\"id\": \"host:port\"}", TakesFile: true},
	}
}

// serversOf are what the flags of serverFlags name.
func serversOf(c *cli.Command) (serverList, error) {
	var list serverList
	if given := c.Value("server").(*serverList); given != nil {
		list = *given
	}
	if file := c.String("servers"); file != "" {
		read, err := readServers(file)
		if err != nil {
			return nil, usagef("--servers: %w", err)
		}
		for _, n := range read {
			if err := list.addOne(n); err != nil {
				return nil, usagef("--servers: %s: %w", file, err)
			}
		}
	}
	if len(list) == 0 {
		return nil, usagef("no server to rove over; want at least one --server [ID=]HOST:PORT, or --servers FILE")
	}
	return list, nil
}

// readServers reads an object of ids and addresses, in the ids' order.
func readServers(file string) (list serverList, err error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var all map[string]rover.Server
	if err := json.Unmarshal(text, &all); err != nil {
		return nil, fmt.Errorf("%s: %w; want {\"id\": \"host:port\"}", file, err)
	}
	for _, id := range slices.Sorted(maps.Keys(all)) {
		if id == "" {
			return nil, fmt.Errorf("%s: an id is empty", file)
		}
		list = append(list, named{id, all[id]})
	}
	return list, nil
}
