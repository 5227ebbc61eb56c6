package hot

import "github.com/reactivex/rxgo/v2"

// A handover follows one perishable value at a time from a Subject's queue,
// through fused stages, to its subscriber. Stages may make something else of
// the value, but it stays the one that is asked whether it is over. Nil: the
// values do not perish. It is used on the subscriber's goroutine only.
type handover struct {
	settings *settings
	value    any // nil: an error is on its way
}

func (s *settings) handover() *handover {
	if s.begin == nil {
		return nil
	}
	return &handover{settings: s}
}

// begin says whether the item may go on its way.
func (h *handover) begin(item rxgo.Item) bool {
	h.value = item.V
	if h.value == nil || h.settings.begin(h.value) {
		return true
	}
	h.settings.drop(h.value)
	return false
}

// over is closed when the value that waits is over.
func (h *handover) over() <-chan struct{} {
	if h == nil || h.value == nil {
		return nil
	}
	return h.settings.over(h.value)
}

// waited says that the value was taken after a wait.
func (h *handover) waited() {
	if h != nil && h.value != nil {
		h.settings.begin(h.value)
	}
}

func (h *handover) withdraw() { h.settings.drop(h.value) }
