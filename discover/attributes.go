package discover

import (
	"maps"
	"sync"
)

// An Attribute is what a source may know of a server beside its address.
type Attribute struct {
	Weight   float64 // relative to the other servers'; 0: nothing is known
	Priority int     // servers of a lower number come first; 0 if nothing is known
	Zone     string  // where it is; "" if nothing is known
}

// Attributes are what a source knows of the servers in its last set, by id. A
// policy reads them where it chooses: give the same Attributes to the source,
// by WithAttributes, and to the policy. The zero value is ready. It is safe for
// many goroutines.
type Attributes struct {
	mu   sync.RWMutex
	byID map[string]Attribute
}

// Of returns what is known of a server; the zero Attribute: nothing.
func (a *Attributes) Of(id string) Attribute {
	a.mu.RLock()
	defer a.mu.RUnlock()
	return a.byID[id]
}

// All returns a copy.
func (a *Attributes) All() map[string]Attribute {
	a.mu.RLock()
	defer a.mu.RUnlock()
	return maps.Clone(a.byID)
}

// Replace makes these all that is known: for sources of your own, before they
// emit. The map must not be changed afterwards.
func (a *Attributes) Replace(byID map[string]Attribute) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.byID = byID
}
