package reactor

import (
	"cmp"

	"github.com/stormwheel/stormwheel/codec"
)

// handler is a test's application: a nil function is not called.
type handler struct {
	Opened  func(s *caller)
	Message func(s *caller, id uint64, body []byte)
	Settled func(o Outcome, w Waiter)
	Missed  func(s *caller, group string, messages int)
	Closed  func(s *caller, why Reason)
}

// caller is the session of a callback, good for as long as that runs.
type caller struct {
	r    *Reactor
	slot Slot

	wantsReply bool // of Message
}

func (c *caller) ID() codec.SessionID { return c.r.SessionID(c.slot) }

func (c *caller) Attempt() uint32 { return c.r.app.Origin(c.slot).Attempt }

func (c *caller) ClientID() string { return string(c.r.ClientID(c.slot)) }

func (c *caller) Ack(id uint64) error { return c.r.Ack(c.slot, codec.AckOf(id)) }

func (c *caller) Reply(id uint64, body []byte) error { return c.r.Reply(c.slot, id, body) }

func (c *caller) Deliver(body []byte) error { return c.r.Deliver(c.slot, body) }

func (c *caller) DeliverAwaited(body []byte, w Waiter) error {
	return c.r.DeliverAwaited(c.slot, body, w)
}

func (c *caller) Close(code codec.Code) { c.r.Kick(cmp.Or(code, codec.CodeKicked), nil) }

// stage is a node's application over its handler.
type stage struct {
	handler
	n        *node
	origins  map[Slot]Origin
	previous map[uint64]uint64 // of a handle, the session whose place it took
	refused  int
	stamp    uint64 // the latest
}

func (a *stage) Greeted(slot Slot, from Origin) {
	if from != (Origin{}) {
		a.origins[slot] = from
	}
}

func (a *stage) Origin(slot Slot) Origin { return a.origins[slot] }

func (a *stage) Follows(slot Slot, previous uint64) { a.previous[a.n.r.Handle(slot)] = previous }

func (a *stage) Gone(slot Slot) { delete(a.origins, slot) }

func (a *stage) Refused(Reason) { a.refused++ }

func (a *stage) caller(slot Slot) *caller { return &caller{r: a.n.r, slot: slot} }

func (a *stage) Granted(Slot, any) {}

// Stamp is a count, behind what the client knows of.
func (a *stage) Stamp(_ Slot, after uint64) uint64 {
	a.stamp = max(a.stamp, after) + 1
	return a.stamp
}

func (a *stage) Missed(slot Slot, group string, messages int) {
	if a.handler.Missed != nil {
		a.handler.Missed(a.caller(slot), group, messages)
	}
}

func (a *stage) Opened(slot Slot) {
	if a.handler.Opened != nil {
		a.handler.Opened(a.caller(slot))
	}
}

func (a *stage) Message(slot Slot, id uint64, body []byte, wantsReply bool) {
	if a.handler.Message != nil {
		c := a.caller(slot)
		c.wantsReply = wantsReply
		a.handler.Message(c, id, body)
	}
}

func (a *stage) Settled(o Outcome, w Waiter) {
	if a.handler.Settled != nil {
		a.handler.Settled(o, w)
	}
}

func (a *stage) Closed(slot Slot, why Reason) {
	if a.handler.Closed != nil {
		a.handler.Closed(a.caller(slot), why)
	}
}
