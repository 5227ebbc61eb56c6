// Package marble tests RxGo v2 pipelines with marble diagrams, in virtual time, and draws
// the diagrams.
//
//	func TestKeepsLowSlots(t *testing.T) {
//		marble.Test(t, func(m *marble.M) {
//			source := m.Hot("a-b-c-|", marble.Values{"a": 3, "b": 12, "c": 7})
//			low := source.Filter(func(v any) bool { return v.(int) < 10 })
//			m.Expect(low).ToBe("a---c-|", marble.Values{"a": 3, "c": 7})
//		})
//	}
//
// Sources are real observables, and the pipeline's own timers tick: Test runs in a bubble
// of testing/synctest, where an hour passes in no time.
//
// # Diagrams
//
// The syntax is that of RxJS's TestScheduler. A character is a frame, a millisecond unless
// M.Frame says otherwise.
//
//   - a frame passes
//     a         a value: any letter, digit, emoji; Values says which
//     |         completes
//     #         fails
//     (ab|)     at once; then time has passed as for five characters
//     ^         in a hot source: frame zero, when expectations subscribe
//     9ms      time passes: a word of its own, in ms, s, m or h, fractions too
//     (space)   nothing, for diagrams that line up
//
// In subscriptions (Window, M.ExpectSubscriptions) ^ subscribes and ! unsubscribes; frame
// zero is where the diagram begins, and times stand between them as elsewhere: "^ 9ms !".
// Time after |, # or ! is nothing, for diagrams that line up. A digit by itself is a value;
// a longer number needs a unit.
//
// What RxJS cannot write, since each of its characters takes time, has brackets here:
//
//	[ab]      at once, and no time passes
//	[ab]-[cd] two groups next to each other, one frame apart
//	[a] 0.5ms b    an event half a frame after another
//
// Diagram.String uses them where it must, so that whatever happened can be written.
//
// Mistakes that RxJS lets pass are errors, with a caret under the character: a group in a
// group, empty, or not closed; an event after the end; a second ^; a number of two digits
// or more without a unit; a letter without a value.
//
// # Failures
//
// A failure has both diagrams with a caret under the first difference, a table of what
// happened when, and the value of each letter:
//
//	want  a---c-|
//	got   a-b-c-|
//	        ^
//
//	  time  want  got
//	  0s    a     a
//	≠ 2ms         b
//	  4ms   c     c
//	  6ms   |     |
//
//	a = 3
//	c = 7
//	b = 12   (has no letter in the test)
//
// # Pictures
//
// A Figure is an operator with what goes in and what comes out. M.Figure tests it, and SVG
// draws it, so that a picture in the documentation is one that the tests have proved.
package marble
