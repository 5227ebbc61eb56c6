package simulate

import "slices"

// What may happen to a fleet.

// at lets something happen later.
func (w *world) at(when float64, do func()) {
	w.scripts = append(w.scripts, do)
	w.queue.push(event{at: when, kind: scripted, slot: int32(len(w.scripts) - 1)})
}

// kill ends a server and all its connections, at once.
func (w *world) kill(id int32) {
	w.servers[id].die()
	for _, c := range w.clients {
		for at := len(c.conns) - 1; at >= 0 && !c.gone; at-- {
			if c.conns[at].server == id {
				c.remove(at)
				c.agent.lost(w, c, id)
			}
		}
		if !c.gone {
			w.rest(c)
		}
	}
}

// revive starts a server again, empty.
func (w *world) revive(id int32) { w.servers[id].alive = true }

// change changes the set; the clients hear of it.
func (w *world) change(added, dropped []int32) {
	for _, id := range dropped {
		w.unlist(id)
	}
	for _, id := range added {
		w.list(id)
	}
	w.changes = append(w.changes, change{added, dropped})
	for _, c := range w.clients {
		if !c.gone {
			w.queue.push(event{at: w.now + c.behind, kind: hears, client: c.number, slot: int32(len(w.changes) - 1)})
		}
	}
}

// leave ends a client.
func (w *world) leave(c *client) {
	for _, x := range c.conns {
		s := w.servers[x.server]
		s.kept--
		s.free(x.slot)
	}
	c.view.Kept, c.conns, c.gone = nil, nil, true
}

// renumber is for policies that give clients numbers: whoever is there has a
// new one.
func (w *world) renumber() {
	w.rerank()
	if w.Policy.Numbers {
		w.changes = append(w.changes, change{})
		for _, c := range w.clients {
			w.queue.push(event{at: w.now + c.behind, kind: hears, client: c.number, slot: int32(len(w.changes) - 1)})
		}
	}
}

// drain lets a server say that it wants to be left, and close what is held
// there, one by one over a time.
func (w *world) drain(id int32, over float64) {
	s := w.servers[id]
	s.drains = true
	n := s.kept
	for i := range n {
		w.at(w.now+over*float64(i+1)/float64(n), func() { w.hangUp(id) })
	}
}

// hangUp closes any connection of a server.
func (w *world) hangUp(id int32) {
	begin := w.random.IntN(len(w.clients))
	for i := range w.clients {
		c := w.clients[(begin+i)%len(w.clients)]
		at := slices.IndexFunc(c.conns, func(x conn) bool { return x.server == id })
		if c.gone || at < 0 {
			continue
		}
		w.servers[id].kept--
		w.servers[id].free(c.conns[at].slot)
		c.remove(at)
		c.agent.lost(w, c, id)
		w.rest(c)
		return
	}
}
