package roam

import (
	"slices"
)

// Debts are the connections lost where a server broke: a server that is back
// gets what it had. What breaks at once must not come back at once, so each
// client tries at a time of its own.
type debts []debt

type debt struct {
	server int32
	owed   int
	since  Time // when the first broke
	wait   Time // before the next try, if this one fails
	due    Time // the next try
}

// add notes a connection lost; spread is from 0 to 1.
func (d *debts) add(now Time, server int32, spread float64) {
	if x := d.of(server); x != nil {
		x.owed++
		return
	}
	*d = append(*d, debt{server, 1, now, 1, now + debtFirst + Time((1-debtFirst)*spread)})
}

// put makes the server owed so many, the first of them at a time of its own.
func (d *debts) put(now Time, server int32, owed int, due Time) {
	d.forgive(server)
	*d = append(*d, debt{server, owed, now, 1, due})
}

func (d *debts) of(server int32) *debt {
	if at := slices.IndexFunc(*d, func(x debt) bool { return x.server == server }); at >= 0 {
		return &(*d)[at]
	}
	return nil
}

func (d *debts) forgive(server int32) {
	*d = slices.DeleteFunc(*d, func(x debt) bool { return x.server == server })
}

// failed puts the next try off; spread is from 0 to 1.
func (x *debt) failed(now Time, spread float64) {
	x.wait = min(2*x.wait, max(debtWait, (now-x.since)/debtShare))
	x.due = now + x.wait*Time(0.5+0.5*spread)
}

// paid notes a connection made there. True: more are owed.
func (x *debt) paid() bool {
	x.owed--
	return x.owed > 0
}

// ready is a debt that is due, nil if none is.
func (d *debts) ready(now Time) *debt {
	if at := slices.IndexFunc(*d, func(x debt) bool { return x.due <= now }); at >= 0 {
		return &(*d)[at]
	}
	return nil
}

// next is when the next debt after now is due.
func (d debts) next(now Time) Time {
	at := never
	for _, x := range d {
		if x.due > now {
			at = min(at, x.due)
		}
	}
	return at
}
