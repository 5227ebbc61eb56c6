package discover

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/fsnotify/fsnotify"
	"github.com/reactivex/rxgo/v2"

	"github.com/callosum-go/rover"
)

// File is the set in a JSON file, {"id": "host:port"}, read again when it changes
// and after WithRefresh's max, for file systems that do not say so. An id that is
// there twice has its last value.
//
// Replace the file by renaming another over it: what is written in place may be read
// before it is whole, which is a fault until it is. A Kubernetes ConfigMap as a
// volume is fine.
func File(path string, opts ...Option) rxgo.Observable {
	return Watch("file "+path, func(ctx context.Context, changed func()) Look {
		f := &file{path: path}
		f.watch(ctx, changed)
		return f.look
	}, opts...)
}

// A file is what one subscriber remembers.
type file struct {
	path    string
	watcher *fsnotify.Watcher // nil: there is none
	bytes   []byte            // as they were last read
	answer  Answer            // what they say
	err     error
}

// watch watches the folder and not the file, for that is replaced.
func (f *file) watch(ctx context.Context, changed func()) {
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		return // the system has none, or no more of them: it is looked at all the same
	}
	f.watcher = watcher
	name := filepath.Base(f.path)
	go func() {
		defer watcher.Close()
		for {
			select {
			case event := <-watcher.Events:
				of := filepath.Base(event.Name) // a ConfigMap's files are links to ..data, which is replaced
				if (of == name || strings.HasPrefix(of, "..")) && event.Op != fsnotify.Chmod {
					changed()
				}
			case <-watcher.Errors: // events were lost
				changed()
			case <-ctx.Done():
				return
			}
		}
	}()
}

func (f *file) look(context.Context) (Answer, error) {
	if f.watcher != nil { // the folder may be a new one, or the first; not to be watched is no fault
		_ = f.watcher.Add(filepath.Dir(f.path))
	}
	read, err := os.ReadFile(f.path)
	if err != nil {
		return Answer{}, plain(err)
	}
	if f.bytes == nil || !bytes.Equal(read, f.bytes) {
		f.bytes = read
		f.answer, f.err = parse(read)
		f.answer.Good = forEver
	}
	return f.answer, f.err
}

// forEver is good for longer than WithRefresh allows.
const forEver = 1<<63 - 1

// plain leaves out the path, which is in every fault of the source.
func plain(err error) error {
	var of *os.PathError
	if errors.As(err, &of) {
		return of.Err
	}
	return err
}

// parse reads {"id": "host:port"}. What is wrong with all of it is the error.
func parse(text []byte) (Answer, error) {
	var all map[string]string // as a rule, and cheaper
	if json.Unmarshal(text, &all) == nil && all != nil {
		return readAll(all, func(server *rover.Server, entry string) error { return server.UnmarshalText([]byte(entry)) }), nil
	}
	var entries map[string]json.RawMessage
	if err := json.Unmarshal(text, &entries); err != nil {
		return Answer{}, fmt.Errorf(`want {"id": "host:port", …}: %w`, err)
	}
	if entries == nil {
		return Answer{}, errors.New(`want {"id": "host:port", …}, got null`)
	}
	return readAll(entries, readServer), nil
}

func readAll[E any](entries map[string]E, read func(*rover.Server, E) error) Answer {
	a := Answer{Servers: make(map[string]rover.Server, len(entries)), Unread: map[string]error{}}
	for id, entry := range entries {
		var server rover.Server
		if err := read(&server, entry); err == nil {
			a.Servers[id] = server
		} else {
			a.Unread[id] = err
		}
	}
	return a
}

// readServer reads a JSON string.
func readServer(server *rover.Server, entry json.RawMessage) error {
	var text *string
	if err := json.Unmarshal(entry, &text); err != nil || text == nil {
		return fmt.Errorf("want a string, got %.40s", entry)
	}
	return server.UnmarshalText([]byte(*text))
}
