// Command rover roves over slot servers, serves slots, brings both to programs that
// know nothing of them, and shows it at work.
//
//	rover rove --server a=127.0.0.1:4040 --server b=[::1]:4040
//	rover serve --listen 127.0.0.1:4040
//	rover front --listen :4040 --backend 127.0.0.1:6379
//	rover proxy --listen 127.0.0.1:6379 --server a=10.0.0.1:4040
//	rover demo
//
// It prints one line an event, as text or, with --json, one object a line. The
// exit code is 0 at the end, by --for or a signal too, 1 if something failed,
// such as listening, and 2 for wrong flags.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/callosum-go/rover/internal/socket"
	"github.com/urfave/cli/v3"
)

func main() {
	ignorePipes() // so that Write fails when the reader has left, and we end in order
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	os.Exit(run(ctx, os.Args, os.Stdout, os.Stderr))
}

// run is the whole command, and returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	out, written := outletOf(ctx, stdout)
	err := newRoot(out, stderr).Run(ctx, args)
	if failed := written(); err == nil && failed != nil && !out.lossy {
		err = unwritten(failed)
	}
	if err == nil || errors.Is(err, socket.BrokenPipe) {
		return 0
	}
	fmt.Fprintf(stderr, "rover: %v\n", err)
	if _, ok := errors.AsType[usageError](err); ok {
		return 2
	}
	return 1
}

func newRoot(stdout, stderr io.Writer) *cli.Command {
	root := &cli.Command{
		Name:    "rover",
		Usage:   "find the servers with free slots, and keep the lowest",
		Version: version(),
		Commands: []*cli.Command{
			roveCommand(), serveCommand(), demoCommand(), frontCommand(), proxyCommand(), simulateCommand(),
		},
		Writer:                stdout,
		ErrWriter:             stderr,
		EnableShellCompletion: true,
		ArgValidator:          noArguments,
		ExitErrHandler:        func(context.Context, *cli.Command, error) {}, // run prints the error, main exits
	}
	for _, c := range append(root.Commands, root) {
		c.OnUsageError = func(_ context.Context, c *cli.Command, err error, _ bool) error {
			return wrongFlag(c, err)
		}
	}
	return root
}
