// Package fifo has a list, first in, first out, whose nodes are parts of the
// things in it: adding and removing cost no allocation, wherever in the list.
package fifo

// A Node is a thing's place in a List. It is in one list at most.
type Node[T any] struct {
	Thing      T
	prev, next *Node[T]
	listed     bool
}

// Next returns the node behind n, nil at the end.
func (n *Node[T]) Next() *Node[T] { return n.next }

// A List is not safe for many goroutines. The zero value is empty and ready.
type List[T any] struct {
	first, last *Node[T]
	n           int
}

// Len returns how many nodes there are.
func (l *List[T]) Len() int { return l.n }

// First returns the node that has been in for longest, nil if there is none.
func (l *List[T]) First() *Node[T] { return l.first }

// Push puts a node at the end. It must not be in a list.
func (l *List[T]) Push(n *Node[T]) {
	n.prev, n.next, n.listed = l.last, nil, true
	if l.last == nil {
		l.first = n
	} else {
		l.last.next = n
	}
	l.last = n
	l.n++
}

// Remove takes a node of this list out; false: it was out already.
func (l *List[T]) Remove(n *Node[T]) bool {
	if !n.listed {
		return false
	}
	if n.prev == nil {
		l.first = n.next
	} else {
		n.prev.next = n.next
	}
	if n.next == nil {
		l.last = n.prev
	} else {
		n.next.prev = n.prev
	}
	n.prev, n.next, n.listed = nil, nil, false
	l.n--
	return true
}

// ToEnd puts a node of this list behind all others; false: it is out.
func (l *List[T]) ToEnd(n *Node[T]) bool {
	if n != l.last && l.Remove(n) {
		l.Push(n)
	}
	return n.listed
}
