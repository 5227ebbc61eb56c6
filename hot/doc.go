// Package hot has hot streams for RxGo v2: a Subject to publish on, and the
// rxgo.Observable that subscribers see of it.
//
// RxGo has no subject. Its FromEventSource and its publish strategy lose items
// or stall, and never let a subscriber go. Here
//
//   - publishing never waits, whatever subscribers do;
//   - subscribing is synchronous: what is published after Observe or ForEach
//     has returned is seen;
//   - each subscriber has a bounded queue, which overflows by a stated rule,
//     and a hook is told what was not delivered;
//   - a subscriber that leaves, by its context, by Take, First and their like,
//     is gone: no goroutine, no queue stays behind;
//   - a chain of Filter, Map, FlatMap, Take, TakeUntil, TakeWhile, Skip,
//     SkipWhile, ForEach and DoOnNext runs on one goroutine a subscription.
//     Every other operator is RxGo's own, subscribed synchronously and
//     unsubscribed when it ends.
//
// A channel from Observe whose reader has stopped reading keeps its goroutine
// until its context or the Subject ends; behind FlatMap, StartWith, Repeat and
// others that may emit more than their source did, only until its context ends.
// Its reader gets what the Subject's end found in its queue as far as the
// channel has room for it. A callback that panics ends the process, like any
// goroutine's. What RxGo itself does is told in docs/rxgo.md.
package hot
