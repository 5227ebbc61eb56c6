package discover_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/reactivex/rxgo/v2"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/discover"
	"github.com/callosum-go/rover/internal/lab/kit"
	"github.com/callosum-go/rover/internal/lab/sources"
)

// A configMap is a folder as the kubelet makes it: the file is a link to
// ..data/servers.json, and ..data is a link to a folder of the version.
type configMap struct {
	t       testing.TB
	dir     string
	version int
}

func newConfigMap(t testing.TB) *configMap {
	m := &configMap{t: t, dir: t.TempDir()}
	m.write([]byte("{}"))
	kit.Check(t, os.Symlink("..data/servers.json", m.path()))
	return m
}

func (m *configMap) path() string { return filepath.Join(m.dir, "servers.json") }

// write makes a new version and swaps it in.
func (m *configMap) write(text []byte) {
	m.t.Helper()
	old := fmt.Sprintf("..%d", m.version)
	m.version++
	version := fmt.Sprintf("..%d", m.version)
	kit.Check(m.t, os.Mkdir(filepath.Join(m.dir, version), 0o755))
	kit.Check(m.t, os.WriteFile(filepath.Join(m.dir, version, "servers.json"), text, 0o644))
	kit.Check(m.t, os.Symlink(version, filepath.Join(m.dir, "..data_tmp")))
	kit.Check(m.t, os.Rename(filepath.Join(m.dir, "..data_tmp"), filepath.Join(m.dir, "..data")))
	kit.Check(m.t, os.RemoveAll(filepath.Join(m.dir, old)))
}

// inPlace writes a plain file, renamed over the old one.
func renamed(t testing.TB, path string) func([]byte) {
	return func(text []byte) {
		t.Helper()
		kit.Check(t, os.WriteFile(path+".new", text, 0o644))
		kit.Check(t, os.Rename(path+".new", path))
	}
}

func TestFileStandsTheSuite(t *testing.T) {
	for _, way := range []string{"renamed over", "ConfigMap"} {
		t.Run(way, func(t *testing.T) {
			sources.Run(t, func(t testing.TB) *sources.Rig {
				path := filepath.Join(t.TempDir(), "servers.json")
				write := renamed(t, path)
				if way == "ConfigMap" {
					m := newConfigMap(t)
					path, write = m.path(), m.write
				}
				entries := map[string]string{}
				text := func() []byte { return kit.Must(json.Marshal(entries))(t) }
				return &sources.Rig{
					Open: func(opts ...discover.Option) rxgo.Observable { return discover.File(path, opts...) },
					Put: func(servers map[string]rover.Server) {
						clear(entries)
						for id, s := range servers {
							entries[id] = s.Addr()
						}
						write(text())
					},
					Fail: map[string]func(){
						"torn":           func() { write(text()[:1]) },
						"half an answer": func() { write([]byte(`{"a": "127.0.0.1:1", "b`)) },
						"nonsense":       func() { write([]byte(`["a"]`)) },
						"null":           func() { write([]byte(`null`)) },
						"no bytes":       func() { write(nil) },
						"removed":        func() { write(nil); kit.Check(t, os.Remove(kit.Must(filepath.EvalSymlinks(path))(t))) },
					},
					Spoil: func(id string) {
						entries[id] = "127.0.0.1:99999"
						write(text())
					},
					Twice: func() {
						s := string(text())
						write([]byte(s[:len(s)-1] + "," + s[1:]))
					},
				}
			})
		})
	}
}

// A change is seen by the folder's watch, not by the look that comes at last.
func TestFileIsReadWhenItChanges(t *testing.T) {
	m := newConfigMap(t)
	m.write([]byte(`{"a": "127.0.0.1:1"}`))
	items := discover.File(m.path(), discover.WithRefresh(time.Hour, time.Hour)).Observe(rxgo.WithContext(t.Context()))
	<-items
	m.write([]byte(`{"a": "127.0.0.1:2"}`))
	select {
	case item := <-items:
		kit.Equal(t, "set", fmt.Sprint(item.V), "map[a:127.0.0.1:2]")
	case <-time.After(20 * time.Second):
		t.Fatal("the change was not seen")
	}
}

func TestFileEntries(t *testing.T) {
	path := filepath.Join(t.TempDir(), "servers.json")
	kit.Check(t, os.WriteFile(path, []byte(`{"a": "h\u006fst:1", "b": 7, "c": "[::1]:2", "": "h:1", "d": "h:1 "}`), 0o644))
	ctx := t.Context()
	items := discover.File(path).Observe(rxgo.WithContext(ctx), rxgo.WithErrorStrategy(rxgo.ContinueOnError))
	kit.Equal(t, "fault", (<-items).E.Error(), `discover: file `+path+`: left out 3 of 5 servers; "": its id is empty; "b": want a string, got 7; "d": rover: server "h:1 ": port must be a number from 1 to 65535`)
	kit.Equal(t, "set", fmt.Sprint((<-items).V), "map[a:host:1 c:[::1]:2]")
}
