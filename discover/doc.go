// Package discover makes sets of servers out of where they are written down:
// DNS, a file, or whatever can be looked at again and again.
//
//	stream, err := rover.New(rover.WithServerSets(discover.DNS("cache.internal", 4040)))
//
// Each source is cold: a subscriber starts it, and the end of the subscriber's
// context ends it. An item is a map[string]rover.Server, which is not changed
// afterwards, or a fault as an error item, which ends nothing. All sources keep
// the same rules:
//
//   - The last good set stays in force through outages, timeouts, refusals and
//     nonsense. The same fault is emitted once, then at most once a minute with
//     how often it came.
//   - An empty set is a fault, unless WithEmpty allows it. WithShrink has a set that
//     lost many servers at once wait.
//   - Half an answer is none. A wrong entry is left out and is a fault, and what had
//     its id before stays.
//   - Only changes are emitted.
//   - A source looks again after what its answer says how long it is good for,
//     within the bounds of WithRefresh, a little earlier by chance, so that a fleet
//     does not look at the same instant. After a fault it looks again soon, and
//     then less and less often.
//   - Ids stay the same as long as the server does.
//
// For sources that are not here, Poll needs one function that looks, and Guard
// makes any observable of sets keep the rules.
package discover
