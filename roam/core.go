package roam

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
)

// A Config is what may differ from one Core to the next.
type Config struct {
	// Idle is the longest time between two dials at rest, in intervals: at
	// least 1, default 16. What nobody announces, such as clients that leave,
	// is seen after that long; the dials at rest are 1/(1.2 Idle) an interval.
	Idle Time
	// Burst is how many dials an interval a client may make beyond Max, and how
	// many in vain in a row: at least 1, default 8.
	Burst int
	// Spread is the time within which the first wake is, in intervals: 0, the
	// default, is at once. For clients that are all started together.
	Spread Time
	// Lockstep has the beats exactly an interval apart where they are that near:
	// clients that began together go on together. It is for simulations of the
	// worst that clocks can do.
	Lockstep bool
}

// check sets what is not given, and returns what is wrong with the rest.
func (c *Config) check() error {
	if c.Idle == 0 {
		c.Idle = DefaultIdle
	}
	if c.Burst == 0 {
		c.Burst = DefaultBurst
	}
	switch {
	case !(c.Idle >= 1) || math.IsInf(float64(c.Idle), 1):
		return fmt.Errorf("roam: idle must be at least 1 interval, got %v", c.Idle)
	case c.Burst < 1:
		return fmt.Errorf("roam: burst must be at least 1, got %d", c.Burst)
	case !(c.Spread >= 0) || math.IsInf(float64(c.Spread), 1):
		return fmt.Errorf("roam: spread must be 0 intervals or more, got %v", c.Spread)
	}
	return nil
}

// A Core is the policy of one client. Servers are numbers to it: who has many
// Cores maps ids to numbers once. A number may be used again once its server
// was dropped.
//
// Each event is a method; it is given the time, which never goes back, and the
// pool as it is then. It returns what to dial at once, in a slice that is
// valid until the next event; when to call Wake is in Next after each event.
// A Core is not safe for several goroutines.
type Core struct {
	config Config
	random *rand.Rand

	cycle    cycle
	estimate estimate
	tokens   tokens
	flights  flights
	failures failures
	debts    debts
	news     news

	beat    Time // the next dial of the cycle, or fill
	fillAt  Time // a fill that was put off
	short   Time // since when the pool is, that was full
	stretch Time // the present interval
	idle    int  // dials since the last one that was any good, or since something happened
	tries   int  // dials in vain in this burst
	cutOff  bool // all servers failed lately, and none has answered since

	bucket float64 // the tokens an interval
	dialed uint32
	dials  []Dial // the event's
}

// NewCore makes a Core of a client that starts now, with servers. Errors name
// the value that is wrong and what would be right.
func NewCore(config Config, random *rand.Rand, now Time, servers []int32) (*Core, error) {
	if err := config.check(); err != nil {
		return nil, err
	}
	if random == nil {
		return nil, errors.New("roam: random must not be nil")
	}
	c := &Core{config: config, random: random, stretch: 1, short: -never, fillAt: never}
	c.cycle.add(servers)
	c.beat = now + c.within(config.Spread)
	return c, nil
}

// Next is when to call Wake: never, if it is infinite.
func (c *Core) Next() Time {
	return min(c.beat, c.fillAt, c.news.next(), c.flights.late())
}

// Wake does what is due. To call it too early does no harm.
func (c *Core) Wake(now Time, v View) []Dial {
	late := c.flights.late() <= now
	c.begin(now, v)
	if late || c.fillAt <= now {
		c.fillAt = never
		c.fill(now, v)
	}
	if late && v.Short() == 0 && c.pays(now, v, Verdict{}, false) && c.rove(now) {
		c.tries++
	}
	for c.news.next() <= now {
		c.news.left--
		c.review(now, v)
	}
	if c.beat <= now {
		c.onBeat(now, v)
	}
	return c.dials
}

// begin begins an event.
func (c *Core) begin(now Time, v View) {
	c.dials = c.dials[:0]
	c.flights.expire(now)
	c.bucket = float64(v.Max + c.config.Burst)
}

// onBeat: the interval is over.
func (c *Core) onBeat(now Time, v View) {
	c.tries = 0
	switch owed := c.debts.ready(now); {
	case v.Short() > 0:
		if c.fill(now, v); len(c.flights) == 0 {
			c.knock(now)
		}
	case owed != nil && c.dial(now, owed.server, Comeback):
		owed.due = now + debtReply
		if c.stretch > 1 { // it takes the place of a dial of the cycle
			break
		}
		fallthrough
	default:
		c.tries = 1
		c.rove(now)
	}
	c.schedule(now)
}

// Answer reports that a server answered, and what became of its offer. The
// view is the pool with the verdict carried out.
func (c *Core) Answer(now Time, d Dial, slot int, verdict Verdict, v View) []Dial {
	c.begin(now, v)
	c.flights.end(d.Number)
	if c.cutOff {
		c.cutOff, c.failures = false, nil
	}
	delete(c.failures, d.Server)
	surprise := false
	switch {
	case slot >= Drain:
		c.failures.drains(now, d.Server)
	case d.Reason.fair():
		surprise = c.estimate.n >= fewest && float64(slot)+1 < surprising*c.estimate.mean()
		c.estimate.add(slot)
	}
	if d.Reason == Comeback {
		c.collect(now, d.Server, verdict.Kept())
	}
	if v.Short() > 0 {
		c.stretch, c.idle = 1, 0
		if !verdict.Kept() {
			c.tries++
		}
		c.fill(now, v)
		c.schedule(now)
		return c.dials
	}
	if verdict.Kept() || surprise {
		c.idle = 0
		if c.stretch > 1 {
			c.stretch = 1
			c.schedule(now)
		}
	} else {
		c.idle++
		if d.Reason == Cycle && len(c.flights) == 0 {
			c.relax(now, v)
		}
	}
	if d.Reason != Comeback && c.pays(now, v, verdict, surprise) && c.rove(now) && !verdict.Kept() {
		c.tries++ // only refusals count
	}
	return c.dials
}

// collect dials on while a server that is back is owed, and what it offers is
// kept. A server that is as full as the others is owed nothing.
func (c *Core) collect(now Time, server int32, kept bool) {
	owed := c.debts.of(server)
	switch {
	case owed == nil:
	case kept && owed.paid():
		c.dial(now, server, Comeback)
	default:
		c.debts.forgive(server)
	}
}

// relax makes the interval longer where dials are in vain.
func (c *Core) relax(now Time, v View) {
	n := max(c.cycle.size(), shortestCycle)
	excess := c.excess(v.worst(), c.estimate.mean())
	switch {
	case c.urgent(now, excess): // two cycles at full speed, then half as often with each
		c.stretch = Time(math.Pow(2, float64(max(0, c.idle/n-1))))
	case movable(excess) && c.idle < n, c.idle < remembered: // the estimate may still be of before
		c.stretch = 1
	default:
		c.stretch *= 2
	}
	c.stretch = min(c.stretch, c.config.Idle)
	c.schedule(now)
}

// pays is true if the next dial of the cycle should be made at once.
func (c *Core) pays(now Time, v View, verdict Verdict, surprise bool) bool {
	if c.tries >= c.config.Burst || len(c.flights) > 0 {
		return false
	}
	excess := c.excess(v.worst(), c.estimate.mean())
	return surprise ||
		verdict.Choice == Replace && movable(excess) ||
		c.urgent(now, excess) && c.idle < 2*max(c.cycle.size(), shortestCycle)
}

// Fail reports that a server did not answer, or not with a slot.
func (c *Core) Fail(now Time, d Dial, v View) []Dial {
	c.begin(now, v)
	c.flights.end(d.Number)
	c.failures.add(now, d.Server, c.random.Float64())
	if owed := c.debts.of(d.Server); owed != nil && d.Reason == Comeback {
		owed.failed(now, c.random.Float64())
		c.beat = min(c.beat, owed.due)
	}
	if v.Short() > 0 {
		c.stretch = 1
		c.fill(now, v)
		if c.beat > now+1.1 {
			c.schedule(now)
		}
	}
	return c.dials
}

// Dropped reports that a dial came to nothing and no server is to blame: it
// was never made, or our own limits were in its way.
func (c *Core) Dropped(d Dial) {
	c.flights.end(d.Number)
}

// Lost reports that a connection broke: neither we nor its borrower gave it
// up. The server is -1 if it is not in the set any more.
func (c *Core) Lost(now Time, server int32) {
	c.stretch, c.idle, c.tries = 1, 0, 0
	c.short = now
	if server >= 0 {
		c.debts.add(now, server, c.random.Float64())
	}
	if c.fillAt == never { // one of many that break together
		c.fillAt = now + c.within(lostSpread)
		c.beat = min(c.beat, now+lostWake+c.within(1-lostWake))
	}
}

// Suspended reports that a server answers and is of no use, and that what it
// offers is declined for a while. It is dialed once that is over.
func (c *Core) Suspended(now Time, server int32, pause Time) {
	if server < 0 {
		return
	}
	c.failures.set(server, failure{c.failures[server].count, now + pause})
	c.debts.put(now, server, 1, now+pause)
	c.beat = min(c.beat, now+pause)
}

// Trusted reports that such a server is well again. It is owed its share: it is
// dialed as long as what it offers is kept.
func (c *Core) Trusted(now Time, server int32, v View) []Dial {
	c.begin(now, v)
	if server >= 0 {
		delete(c.failures, server)
		c.debts.put(now, server, v.Max, now+debtReply)
		c.dial(now, server, Comeback)
	}
	return c.dials
}

// Closed reports that the holder of a connection closed it. Nobody else does
// so now: its successor is dialed at once.
func (c *Core) Closed(now Time, v View) []Dial {
	c.begin(now, v)
	c.short = now
	c.fill(now, v)
	return c.dials
}

// Need reports that somebody waits for a connection. If the pool is short it
// is filled at once; that nobody waits any longer needs no event, for the
// views say so. If the pool is full, waiting changes nothing: Max is how many
// the owner wants, and a dial more would only take another's place.
func (c *Core) Need(now Time, v View) []Dial {
	c.begin(now, v)
	c.fillAt = never
	c.fill(now, v)
	return c.dials
}

// Change reports that servers were added to the set, and others, which were in
// it, dropped. A server that was replaced under its id is in both.
func (c *Core) Change(now Time, added, dropped []int32, v View) {
	c.begin(now, v)
	before := c.cycle.size()
	c.cycle.drop(dropped)
	for _, s := range dropped {
		delete(c.failures, s)
		c.debts.forgive(s)
	}
	c.cycle.add(added)
	if len(c.failures) > c.cycle.size() { // of servers that left before they failed
		c.failures = nil
	}
	c.stretch, c.idle = 1, 0
	if before == 0 { // as at the start: nothing that is known is of before
		c.beat = now + c.within(c.config.Spread)
		return
	}
	if n := c.cycle.size(); n > 0 {
		c.estimate.scale(float64(before) / float64(n))
	}
	c.news.change(now, added, dropped, c.random)
	if c.beat > now+changeSpread {
		c.beat = now + c.within(changeSpread)
	}
}

// fill dials for each connection that is missing.
func (c *Core) fill(now Time, v View) {
	for missing := v.Short() - c.flights.fills(); missing > 0 && len(c.flights) < fills; missing-- {
		to, some := c.pick(now)
		if some && now < c.news.fresh && c.random.Float64() < c.news.successor {
			to = c.news.any(c.random)
		}
		if !some || !c.dial(now, to, Fill) {
			return
		}
	}
}

// knock dials any server, for all failed lately. That may be our own network:
// whoever answers first makes us forget all failures.
func (c *Core) knock(now Time) {
	if to, some := c.cycle.next(c.random); some && c.dial(now, to, Fill) {
		c.cutOff = true
	}
}

// review tries a new server for each connection that is one too many.
func (c *Core) review(now Time, v View) {
	c.fill(now, v)
	est := c.estimate.mean()
	for _, h := range v.Kept {
		if c.random.Float64() < c.excess(h.Slot, est) && !c.dial(now, c.news.any(c.random), News) {
			return
		}
	}
}

// rove dials the next of the cycle.
func (c *Core) rove(now Time) bool {
	to, some := c.pick(now)
	return some && c.dial(now, to, Cycle)
}

// pick is the next of the cycle that did not fail lately. False: there seems to
// be none.
func (c *Core) pick(now Time) (int32, bool) {
	for range skips {
		if to, some := c.cycle.next(c.random); !some || c.failures.admits(now, to) {
			return to, some
		}
	}
	return 0, false
}

// dial is false if there is no token for it.
func (c *Core) dial(now Time, server int32, reason Reason) bool {
	if !c.tokens.take(now, c.bucket) {
		return false
	}
	c.dialed++
	d := Dial{server, reason, c.dialed}
	c.flights.add(now, d, c.random.Float64())
	c.dials = append(c.dials, d)
	return true
}

// schedule sets the next beat, after the present interval.
func (c *Core) schedule(now Time) {
	switch {
	case c.stretch > 1:
		c.beat = now + c.stretch*(1+c.within(0.4))
	case c.config.Lockstep:
		c.beat = now + c.stretch
	default:
		c.beat = now + c.stretch*(0.9+c.within(0.2))
	}
	c.beat = min(c.beat, c.debts.next(now))
}

// within is a random time below d.
func (c *Core) within(d Time) Time { return d * Time(c.random.Float64()) }
