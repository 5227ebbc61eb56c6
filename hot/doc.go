// Package hot has hot streams for RxGo v2: a Subject to publish on, and the
// rxgo.Observable that subscribers see of it.
//
// RxGo has no subject. Its FromEventSource and its publish strategy lose items
// or stall, and never let a subscriber go. Here
//
//   - publishing never waits, whatever subscribers do;
//   - subscribing is synchronous: what is published after Observe or ForEach
//     has returned is seen;
//   - each subscriber has a queue of its own. It is bounded and overflows by a
//     stated rule, or it grows; hooks get what was not delivered;
//   - a subscriber that leaves, by its context, by Take, First and their like,
//     is gone: no goroutine, no queue stays behind;
//   - a chain of Filter, Map, FlatMap, Take, TakeUntil, TakeWhile, Skip,
//     SkipWhile, ForEach and DoOnNext runs on one goroutine a subscription.
//     Every other operator is RxGo's own, subscribed synchronously and
//     unsubscribed when it ends.
//
// # Reading
//
// Go code that is no pipeline reads any rxgo.Observable by one of these:
//
//   - Items: a loop of your own, on a goroutine of your own. The default.
//   - Observe: a channel, for a select with others.
//   - Newest: a channel of states, for a reader that may be slow and wants the
//     latest ones.
//   - Latest: no goroutine waits, the latest state is looked up when it is needed.
//   - Lossless: before any of the first two, and before a chain of operators:
//     the reader must miss nothing.
//
// # Ends
//
// A channel from Observe whose reader has stopped reading keeps its goroutine
// until its context or the Subject ends; behind FlatMap, StartWith, Repeat and
// others that may emit more than their source did, and where the queue grows,
// only until its context ends: read those to the end, or end their context. Its
// reader gets what the Subject's end found in its queue as far as the channel
// has room for it; the hooks get the rest. A callback that panics ends the
// process, like any goroutine's; a panic in a Subject's option is that of
// the caller who published or subscribed. What RxGo itself does is in
// docs/rxgo.md.
package hot
