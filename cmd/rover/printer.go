package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// A colour is the number of an ANSI one.
type colour int

const (
	plain   colour = 0
	grey    colour = 90
	red     colour = 31
	green   colour = 32
	yellow  colour = 33
	magenta colour = 35
	cyan    colour = 36
)

// An event is printed as one line.
type event struct {
	name   string
	colour colour
	id     string // of the server or client it is about; "": none
	detail string
	fields any // a struct: the object's fields behind time and event
}

// A printer writes one line an event, as text or as JSON. It is safe for many
// goroutines. The first write that fails is the last.
type printer struct {
	json     bool
	coloured bool
	idWidth  int
	width    int
	failed   func(error)

	mu     sync.Mutex
	out    io.Writer
	broken bool
}

// newPrinter prints on out, in colour where that is a terminal. failed is
// called once, if writing fails.
func newPrinter(out io.Writer, json bool, idWidth int, failed func(error)) *printer {
	return &printer{out: out, json: json, idWidth: idWidth, width: width(), failed: failed, coloured: !json && wantsColour(out)}
}

func wantsColour(out io.Writer) bool {
	if o, ok := out.(*outlet); ok {
		out = o.to
	}
	file, ok := out.(*os.File)
	if !ok || os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb" {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// print writes an event, with the current time.
func (p *printer) print(e event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if p.json {
		p.write(object(now, e))
		return
	}
	id, room := "", p.width-len("15:04:05.000  unreachable  ")
	if e.id != "" {
		id = pad(e.id, p.idWidth) + "  "
		room = max(room-p.idWidth-2, 20)
	}
	detail := e.detail
	if p.width >= columns { // one line an event; a narrow one has no room for it
		detail = clip(detail, room)
	}
	stamp := now.Format("15:04:05.000") + "  "
	line := strings.TrimRight(fmt.Sprintf("%-11s  %s%s", e.name, id, detail), " ")
	if p.width < columns {
		line = strings.TrimPrefix(wrap(strings.Repeat(" ", len(stamp))+line, p.width, 4), strings.Repeat(" ", len(stamp)))
	}
	p.write([]byte(p.paint(grey, strings.TrimRight(stamp, " ")) + "  " + p.paint(e.colour, line) + "\n"))
}

// object is an event as one line of JSON.
func object(now time.Time, e event) []byte {
	head := encode(struct {
		Time  time.Time `json:"time"`
		Event string    `json:"event"`
	}{now, e.name})
	return append(append(bytes.TrimRight(head, "}\n"), ','), encode(e.fields)[1:]...)
}

func encode(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err) // cannot happen: the structs of this package can all be encoded
	}
	return b.Bytes()
}

// text writes lines as they are, but for their width. They must not be written
// where JSON is wanted.
func (p *printer) text(lines string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.width < columns {
		var narrow strings.Builder
		for line := range strings.Lines(lines) {
			narrow.WriteString(wrap(strings.TrimRight(line, "\n"), p.width, 2) + "\n")
		}
		lines = narrow.String()
	}
	p.write([]byte(lines))
}

func (p *printer) write(b []byte) {
	if p.broken {
		return
	}
	if _, err := p.out.Write(b); err != nil {
		p.broken = true
		p.failed(unwritten(err))
	}
}

func unwritten(err error) error { return fmt.Errorf("writing the output: %w", err) }

func (p *printer) paint(c colour, s string) string {
	if !p.coloured || c == plain || s == "" {
		return s
	}
	return fmt.Sprintf("\x1b[%dm%s\x1b[0m", c, s)
}

// pad makes s at least width characters wide.
func pad(s string, width int) string {
	return s + strings.Repeat(" ", max(width-utf8.RuneCountInString(s), 0))
}

// clip makes s at most width characters wide.
func clip(s string, width int) string {
	if utf8.RuneCountInString(s) <= width {
		return s
	}
	return string([]rune(s)[:width-1]) + "…"
}
