package expiry

import (
	"context"
	"net"
	"testing"
	"time"
)

type key struct{}

func TestAContextOfItsOwn(t *testing.T) {
	parent, cancel := context.WithTimeout(context.WithValue(t.Context(), key{}, "v"), time.Hour)
	defer cancel()
	parents, _ := parent.Deadline()
	var c Context
	for _, due := range []time.Time{parents.Add(time.Minute), parents.Add(-time.Minute)} { // the last one stays
		c.Init(parent, due, false)
		want := due
		if parents.Before(due) {
			want = parents
		}
		if at, ok := c.Deadline(); !ok || at != want {
			t.Errorf("the deadline is %v, want the earlier one, %v", at, want)
		}
	}
	if c.Value(key{}) != "v" {
		t.Error("its parent's values are lost")
	}
	cancel()
	select {
	case <-c.Done():
		t.Error("it ended with its parent, before it was aborted")
	default:
	}
	if c.Err() != nil {
		t.Error(c.Err())
	}
	c.Abort(context.DeadlineExceeded)
	<-c.Done()
	if c.Err() != context.DeadlineExceeded {
		t.Error(c.Err())
	}
	if before := c.Finish(); before != context.DeadlineExceeded || c.Err() != context.DeadlineExceeded {
		t.Errorf("finished after %v, and is %v", before, c.Err())
	}
}

func TestASharedContextEndsWithItsParent(t *testing.T) {
	parent, cancel := context.WithCancel(t.Context())
	var c Context
	c.Init(parent, time.Now(), true)
	if c.Done() != parent.Done() || c.Err() != nil {
		t.Error("it has a Done of its own")
	}
	cancel()
	if c.Err() != context.Canceled {
		t.Error(c.Err())
	}
}

func TestAbortClosesTheSocket(t *testing.T) {
	for name, end := range map[string]func(*Context){
		"abort":              func(c *Context) { c.Abort(context.Canceled) },
		"finish, then abort": func(c *Context) { c.Finish(); c.Abort(context.Canceled) },
	} {
		ours, theirs := net.Pipe()
		var c Context
		c.Init(t.Context(), time.Now(), false)
		if err := c.Guard(ours); err != nil {
			t.Fatal(err)
		}
		end(&c)
		err := ours.SetDeadline(time.Time{})
		if closed := err != nil; closed != (name == "abort") {
			t.Errorf("%s: closed is %v", name, closed)
		}
		theirs.Close()
		ours.Close()
	}
	var late Context
	late.Init(t.Context(), time.Now(), false)
	late.Abort(context.Canceled)
	ours, theirs := net.Pipe()
	defer theirs.Close()
	defer ours.Close()
	if err := late.Guard(ours); err != context.Canceled {
		t.Error("a socket after the end:", err)
	}
}
