// Package guard keeps a logger of the user's from ending the process.
package guard

import (
	"context"
	"log/slog"
)

// Logger returns l with a handler that survives its own panics: caught is told
// the value, on the goroutine that logs and while its stack is still there.
func Logger(l *slog.Logger, caught func(value any)) *slog.Logger {
	return slog.New(&handler{l.Handler(), caught})
}

type handler struct {
	slog.Handler
	caught func(any)
}

func (h *handler) rescue() {
	if value := recover(); value != nil {
		h.caught(value)
	}
}

func (h *handler) Enabled(ctx context.Context, level slog.Level) bool {
	defer h.rescue()
	return h.Handler.Enabled(ctx, level)
}

func (h *handler) Handle(ctx context.Context, r slog.Record) error {
	defer h.rescue()
	return h.Handler.Handle(ctx, r)
}
