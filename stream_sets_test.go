package rover_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callosum-go/rover"
	"github.com/callosum-go/rover/hot"
	"github.com/callosum-go/rover/internal/lab/kit"
)

type servers = map[string]rover.Server

// One bad server of a set costs the others nothing: they are in force, it is
// named, and what had its id before stays.
func TestABadServerAmongGoodOnes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sets := hot.NewSubject(hot.WithLatest())
		s := kit.Rove(t, rover.WithServers(nil), rover.WithServerSets(sets.Observable()), rover.WithDialer(refusing{}))
		failed := kit.Watch[error](s.Errors())
		all := servers{}
		for i := range 99 {
			all[fmt.Sprint(i)] = rover.Server{Host: "10.0.0.1", Port: 1000 + i}
		}
		sets.Publish(maps.Clone(all))
		kit.Start(t, s)
		changed := maps.Clone(all)
		changed["7"] = rover.Server{Host: "10.0.0.1"}
		changed["new"] = rover.Server{Host: "10.0.0.1:80", Port: 80}
		changed["8"] = kit.B
		delete(changed, "9")
		sets.Publish(changed)
		synctest.Wait()
		all["8"] = kit.B
		delete(all, "9")
		if got := s.Servers(); !maps.Equal(got, all) {
			t.Errorf("in force: %v", got)
		}
		emitted := failed.Seen()
		if len(emitted) != 2 || !strings.Contains(emitted[0].Error(), `"7"`) || !strings.Contains(emitted[1].Error(), `"new"`) {
			t.Errorf("emitted %v", emitted)
		}
		s.Stop()
	})
}

// SetServers puts what is right in force and joins what is wrong, by id.
func TestSetServers(t *testing.T) {
	s := kit.Rove(t, rover.WithServers(servers{"a": kit.A, "gone": kit.B}))
	err := s.SetServers(servers{"a": {}, "z": {Host: "h", Port: 70000}, "": kit.B, "b": kit.B})
	wrong, ok := err.(interface{ Unwrap() []error })
	if !ok || len(wrong.Unwrap()) != 3 {
		t.Fatalf("got %v", err)
	}
	want := "rover: server 10.0.0.2:4040: id must not be empty\nrover: server \"a\": host is empty\nrover: server \"z\": port 70000 is out of range 1-65535"
	kit.Equal(t, "error", err.Error(), want)
	if got := s.Servers(); !maps.Equal(got, servers{"a": kit.A, "b": kit.B}) {
		t.Errorf("in force: %v", got)
	}
	kit.Check(t, s.SetServers(servers{"a": kit.A}))
	kit.Equal(t, "servers", len(s.Servers()), 1)
	kit.Check(t, s.SetServers(nil))
	kit.Equal(t, "servers", len(s.Servers()), 0)
	if err := s.AddServer("", kit.A); err == nil || err.Error() != "rover: server 10.0.0.1:4040: id must not be empty" {
		t.Error(err)
	}
}

// DropIf drops the server it means, and no successor of it.
func TestDropIf(t *testing.T) {
	s := kit.Rove(t)
	for _, step := range []struct {
		id     string
		server rover.Server
		want   bool
	}{{"a", kit.B, false}, {"b", kit.A, false}, {"a", kit.A, true}, {"a", kit.A, false}} {
		if got := s.DropIf(step.id, step.server); got != step.want {
			t.Errorf("DropIf(%q, %v) = %v", step.id, step.server, got)
		}
	}
}

// A set that is equal to the one in force costs no allocation, and nobody
// hears of it; a copy of the set is one map.
func TestAnEqualSetCostsNothing(t *testing.T) {
	all := servers{}
	for i := range 100_000 {
		all[fmt.Sprint(i)] = rover.Server{Host: "10.0.0.1", Port: 1 + i%65535}
	}
	s := kit.Rove(t, rover.WithServers(all))
	changes := kit.Watch[rover.SetChange](s.Sets())
	if n := testing.AllocsPerRun(5, func() { _ = s.SetServers(all) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
	s.Stop()
	<-changes.Done
	kit.Equal(t, "changes", len(changes.Seen()), 1)
}

// A newcomer to Sets gets the set in force, all of it Added, and then each
// change; a server that took another's place is in both.
func TestSets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := kit.Rove(t)
		first := kit.Watch[rover.SetChange](s.Sets())
		begun := time.Now()
		time.Sleep(time.Second)
		kit.Check(t, s.AddServer("b", kit.A))
		kit.Check(t, s.AddServer("b", kit.A)) // no change
		kit.Check(t, s.AddServer("b", kit.B))
		s.DropServer("a")
		s.DropServer("a") // no change
		second := kit.Watch[rover.SetChange](s.Sets())
		kit.Check(t, s.SetServers(servers{"b": kit.A, "c": kit.B}))
		kit.Check(t, s.SetServers(servers{"b": kit.A, "c": kit.B})) // no change
		s.Stop()
		<-first.Done
		<-second.Done
		last := "+b=10.0.0.1:4040 +c=10.0.0.2:4040 -b=10.0.0.2:4040"
		want := []string{"+a=10.0.0.1:4040", "+b=10.0.0.1:4040", "+b=10.0.0.2:4040 -b=10.0.0.1:4040", "-a=10.0.0.1:4040", last}
		wantChanges(t, first.Seen(), want...)
		wantChanges(t, second.Seen(), "+b=10.0.0.2:4040", last)
		kit.Equal(t, "the first's time", first.Seen()[0].At, begun)
		kit.Equal(t, "a change's time", first.Seen()[1].At, begun.Add(time.Second))
	})
}

func wantChanges(t *testing.T, changes []rover.SetChange, want ...string) {
	t.Helper()
	var got []string
	for _, c := range changes {
		if c.Added == nil || c.Dropped == nil {
			t.Errorf("a nil map in %+v", c)
		}
		var text []string
		for sign, part := range map[string]servers{"+": c.Added, "-": c.Dropped} {
			for id, server := range part {
				text = append(text, sign+id+"="+server.Addr())
			}
		}
		got = append(got, strings.Join(slices.Sorted(slices.Values(text)), " "))
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("changes are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// Whenever somebody came to Sets, amid whatever changes: what it was given adds
// up to the set in force in the end.
func TestWhatNewcomersToSetsAddUp(t *testing.T) {
	s := kit.Rove(t)
	var changing, summing sync.WaitGroup
	sums := make(chan servers, 100)
	for w := range 4 {
		changing.Go(func() {
			for range 200 {
				id, server := fmt.Sprint(rand.IntN(8)), rover.Server{Host: "10.0.0.1", Port: 1 + rand.IntN(3)}
				switch rand.IntN(4) {
				case 0, 1:
					_ = s.AddServer(id, server)
				case 2:
					s.DropServer(id)
				case 3:
					_ = s.SetServers(servers{id: server, "x": kit.A})
				}
				if w == 0 && rand.IntN(10) == 0 {
					first := rover.Events[rover.SetChange](context.Background(), s.Sets())
					summing.Go(func() {
						sum := servers{}
						for c := range first {
							for id, server := range c.Dropped {
								if sum[id] != server {
									t.Errorf("%q was %v, dropped is %v", id, sum[id], server)
								}
								delete(sum, id)
							}
							maps.Copy(sum, c.Added)
						}
						sums <- sum
					})
				}
			}
		})
	}
	changing.Wait()
	want := s.Servers()
	s.Stop()
	summing.Wait()
	close(sums)
	for sum := range sums {
		if !maps.Equal(sum, want) {
			t.Errorf("adds up to %v, in force is %v", sum, want)
		}
	}
}

// A server that leaves the set while it is dialed, or has a successor, is not
// offered any more: its outcome says why, and its socket is closed.
func TestAServerThatLeftInMidAttempt(t *testing.T) {
	for name, leave := range map[string]func(*rover.Stream){
		"dropped":  func(s *rover.Stream) { s.DropServer("a") },
		"replaced": func(s *rover.Stream) { _ = s.AddServer("a", kit.B) },
	} {
		for what, line := range map[string]string{"a slot": "1\r\n", "no slot": "x"} {
			t.Run(name+", "+what, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					closed := false
					s := kit.Rove(t, rover.WithInterval(time.Hour), rover.WithDialer(pipes(func(server net.Conn) {
						time.Sleep(time.Second)
						_, _ = io.WriteString(server, line)
						_, _ = io.Copy(io.Discard, server)
						closed = true
					})))
					events, outcomes := s.Connections().Observe(), outcomesOf(s)
					failed := kit.Watch[error](s.Errors())
					kit.Start(t, s)
					synctest.Wait()
					leave(s)
					time.Sleep(2 * time.Second)
					synctest.Wait()
					if all := outcomes.Seen(); len(all) != 1 || !errors.Is(all[0].Err, rover.ErrDropped) || all[0].ID != "a" || all[0].Server != kit.A {
						t.Errorf("outcomes %+v", all)
					}
					wantStats(t, s, rover.Stats{Ticks: 1, Attempts: 1, Aborted: 1})
					kit.Equal(t, "offers", len(events), 0)
					kit.Equal(t, "errors", len(failed.Seen()), 0)
					kit.Equal(t, "socket closed", closed, true)
					s.Stop()
				})
			})
		}
	}
}
