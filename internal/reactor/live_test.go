package reactor

import (
	"testing"

	"github.com/stormwheel/stormwheel/codec"
)

// A handle is live from the welcome to the end of its session, and never means the slot's next.
func TestAHandleIsLiveAsLongAsItsSession(t *testing.T) {
	var inOpened, inClosed bool
	n := newNode(t, rigConfig{Handler: handler{
		Opened: func(s *caller) { inOpened = s.r.Live(s.r.Handle(s.slot)) },
		Closed: func(s *caller, _ Reason) { inClosed = s.r.Live(s.r.Handle(s.slot)) },
	}})
	slot, _ := n.dial()
	first := n.r.Handle(slot)
	if n.r.Live(first) {
		t.Error("live before its HELLO")
	}
	n.send(slot, hello("alice"))
	if !inOpened || !n.r.Live(first) || n.r.Live(first+1) || n.r.Live(first^1<<32) {
		t.Error("after WELCOME the session, and none beside it, is not what is live")
	}
	n.send(slot, codec.AppendBye(nil))
	if inClosed || n.r.Live(first) {
		t.Error("live after its end")
	}
	slot, _ = n.join()
	if n.r.Live(first) || !n.r.Live(n.r.Handle(slot)) {
		t.Error("the next session is not the one that is live")
	}
}
