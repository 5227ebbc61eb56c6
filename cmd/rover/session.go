package main

import (
	"context"

	"github.com/urfave/cli/v3"
)

// session runs do with a printer and a context. The context ends by a signal, by
// --for, or when the output cannot be written; only the last is an error.
func session(ctx context.Context, c *cli.Command, idWidth int, do func(context.Context, *printer) error) error {
	ctx, cancel := limited(ctx, c)
	defer cancel(nil)
	out := c.Root().Writer
	if o, ok := out.(*outlet); ok {
		o.onFailure(func(err error) { cancel(unwritten(err)) })
	}
	var failed error
	err := do(ctx, newPrinter(out, c.Bool("json"), idWidth, func(err error) {
		failed = err
		cancel(err)
	}))
	if err != nil {
		return err
	}
	return failed
}

// service is session for what must go on although nobody reads what it prints:
// lines are dropped then.
func service(ctx context.Context, c *cli.Command, idWidth int, do func(context.Context, *printer) error) error {
	ctx, cancel := limited(ctx, c)
	defer cancel(nil)
	out := c.Root().Writer
	if o, ok := out.(*outlet); ok {
		o.mu.Lock()
		o.lossy = true
		o.mu.Unlock()
	}
	return do(ctx, newPrinter(out, c.Bool("json"), idWidth, func(error) {}))
}

// limited is ctx with the time of --for. What is printed after its end waits for
// nobody.
func limited(ctx context.Context, c *cli.Command) (context.Context, context.CancelCauseFunc) {
	stop := func() {}
	if d := c.Duration("for"); d > 0 {
		ctx, stop = context.WithTimeout(ctx, d)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	if o, ok := c.Root().Writer.(*outlet); ok {
		context.AfterFunc(ctx, o.end)
	}
	return ctx, func(err error) { cancel(err); stop() }
}
