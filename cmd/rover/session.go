package main

import (
	"context"

	"github.com/urfave/cli/v3"
)

// session runs do with a printer and a context. The context ends by a signal, by
// --for, or when the output cannot be written; only the last is an error.
func session(ctx context.Context, c *cli.Command, idWidth int, do func(context.Context, *printer) error) error {
	if d := c.Duration("for"); d > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, d)
		defer cancel()
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var unwritten error
	err := do(ctx, newPrinter(c.Root().Writer, c.Bool("json"), idWidth, func(err error) {
		unwritten = err
		cancel(err)
	}))
	if err != nil {
		return err
	}
	return unwritten
}
