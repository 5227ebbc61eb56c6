package roam

// Drain is the least slot that is no load but a mark: the server wants to be
// left. A client treats what it holds there as its worst, and does not dial
// the server for a while. A pool that is offered such a slot rates whatever it
// holds of that server with it, before it asks for a verdict.
const Drain = 1 << 30

// Twins is how many connections of one server may have the same slot. An honest
// server gives a number once at a time, but the other side may have seen the end
// of the last one first.
const Twins = 2

// What [Config] defaults to.
const (
	DefaultIdle  = 16 // the steady budget is 1/(16 × 1.2) dials a client and interval
	DefaultBurst = 8  // 2: servers added settle in 2.25 rather than 0.75, exact rest takes twice as long
)

// The constants of the policy, in intervals where they are times. All were
// swept: the figures of docs/roaming.md are flat within ±30 % of each.
const (
	// What is normal.
	remembered = 15  // offers in the estimate; 3 and 11 are slower by half and more
	fewest     = 3   // offers before the estimate is believed
	surprising = 0.7 // an offer below so much of the estimate is news: somebody left, or came

	// What may move.
	slack    = 1.5 // the worst may move if it is at most so far below the estimate
	urgency  = 0.5 // it must move if it is so far above
	hotFor   = 3   // after a set change, what may move must move, for so long
	patience = 0.3 // for a place that will not have to be left again, when the pool is short

	// How fast.
	shortestCycle = 32  // dials that count as a cycle where there are fewer servers
	fills         = 16  // in flight at once
	lateDial      = 0.5 // a dial without an answer counts no longer: a lost SYN costs a second, a silent server five
	lateSpread    = 0.5 // of lateDial, at most so much longer
	lostDial      = 16  // nobody will say what became of a dial; whoever made it may have dropped it
	lostSpread    = 0.16
	lostWake      = 0.5 // to 1: the next wake after a loss, at the latest

	// Set changes.
	changeSpread = 0.8 // a change reaches all clients at once: they act apart
	reviews      = 6   // at +0, +1, +2, +4, +8, +16; with none, settling takes 6 rather than 0.75
	newsFor      = 2   // so long fills prefer a successor to the cycle

	// Who failed.
	longestBackoff = 16
	backoffSpread  = 0.5
	oneDial        = 1  // so long one dial may show that it is back
	skips          = 32 // servers of the cycle passed over at once; then all of them count as failed

	// Who is owed.
	debtFirst = 0.5 // to 1: the first try at a server that broke
	debtWait  = 3   // what the waits double up to, unless it is down for long
	debtShare = 20  // of the downtime: the longest wait then
	debtReply = 8   // an answer is awaited so long
)
