// Package repeat keeps a log readable when the same thing happens again and
// again: it is logged once, and then now and then with its count.
package repeat

import (
	"sync"
	"time"
)

// Every is how often the same thing is logged at the most.
const Every = time.Minute

// most is how many different things are remembered. Beyond it the oldest are
// forgotten: they may be logged early, never late.
const most = 1024

// A Log knows what was logged when. The zero value is ready, and safe for many
// goroutines.
type Log struct {
	mu    sync.Mutex
	known map[string]*thing
}

type thing struct {
	logged time.Time
	held   int // times it happened since
}

// Happened says whether to log a thing now, and how many times it has happened
// since it was logged last, this time included. Things with the same key are
// the same thing.
func (l *Log) Happened(key string) (times int, now bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	at := time.Now()
	known, ok := l.known[key]
	if !ok {
		if l.known == nil {
			l.known = make(map[string]*thing)
		}
		l.forget(at)
		l.known[key] = &thing{logged: at}
		return 1, true
	}
	known.held++
	if at.Sub(known.logged) < Every {
		return 0, false
	}
	times, known.held, known.logged = known.held, 0, at
	return times, true
}

// Held returns how many times each thing happened since it was logged last, and
// forgets all.
func (l *Log) Held() map[string]int {
	l.mu.Lock()
	defer l.mu.Unlock()
	held := make(map[string]int)
	for key, known := range l.known {
		if known.held > 0 {
			held[key] = known.held
		}
	}
	l.known = nil
	return held
}

// forget makes room for one more.
func (l *Log) forget(now time.Time) {
	if len(l.known) < most {
		return
	}
	oldest, since := "", now
	for key, known := range l.known {
		if now.Sub(known.logged) >= Every && known.held == 0 {
			delete(l.known, key)
		} else if !known.logged.After(since) {
			oldest, since = key, known.logged
		}
	}
	if len(l.known) >= most {
		delete(l.known, oldest)
	}
}
