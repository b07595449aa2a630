package messaging

import (
	"bytes"
	"errors"
	"time"

	"github.com/stormwheel/stormwheel/messaging/envelope"
	"github.com/stormwheel/stormwheel/server"
)

// What a client asks may have to wait for another node: until a room's home has told where it is, or all nodes
// have told who is online. What the client asks meanwhile is done behind it, in order.

// errWaits is what act returns for what waits. Whoever it waits for calls goOn.
var errWaits = errors.New("messaging: it waits for another node")

// stalled is what a session waits for. Owned by its loop.
type stalled struct {
	waits  *asked   // for another node
	behind []*asked // what was asked since then
}

// stalls puts what a client asks behind what waits, if something does. On the session's loop.
func (h *Hub) stalls(d *device, a *asked) bool {
	if d.stalled == nil {
		return false
	}
	if len(d.stalled.behind) >= maxAsked {
		a.verdict = refuseBusy
		h.conclude(a)
		return true
	}
	a.begin(h.since()) // so that many that wait do not wait one after the other: a SEND may be behind them
	d.stalled.behind = append(d.stalled.behind, a)
	return true
}

// stallsMessage is stalls for what has just come, and is the session's.
func (h *Hub) stallsMessage(d *device, a *asked, body []byte) bool {
	if d.stalled == nil {
		return false
	}
	a.e, _ = envelope.Parse(bytes.Clone(body)) // it was parsed before
	a.plain = true
	return h.stalls(d, a)
}

// begin notes when a question has begun to wait, and returns for how long it has. On the session's loop, before
// anybody is told that it waits.
func (a *asked) begin(now time.Duration) time.Duration {
	if a.began == 0 {
		a.began = max(now, 1)
	}
	return now - a.began
}

// goOn has the session's loop do what waited, from any goroutine and with any lock held. False: the loop has no
// room, and it is to be called again.
func (h *Hub) goOn(a *asked) bool {
	err := h.srv.Load().Do(a.d.ref, func(s *server.Session) { h.resume(s, a) })
	return !errors.Is(err, server.ErrBusy) // a session that is gone asks nothing
}

// resume does what waited, and what came behind it. On the session's loop.
func (h *Hub) resume(s *server.Session, a *asked) {
	d := a.d
	if d.stalled == nil || d.stalled.waits != a {
		return
	}
	behind := d.stalled.behind
	d.stalled = nil
	a.verdict = nil
	h.obey(s, a)
	for i, next := range behind {
		if d.stalled != nil { // something waits again
			d.stalled.behind = append(d.stalled.behind, behind[i:]...)
			return
		}
		h.run(s, next)
	}
}

// run decides what is decided by default, and does it. On the session's loop.
func (h *Hub) run(s *server.Session, a *asked) {
	if a.plain {
		a.q.Member = a.d.isIn(a.q.Room) // what it asked before may have changed that
		a.verdict = h.byDefault(&a.q)
	}
	h.obey(s, a)
}

// abandon is undo for what waits when the session ends.
func (h *Hub) abandon(d *device) {
	if d.stalled == nil {
		return
	}
	all := append([]*asked{d.stalled.waits}, d.stalled.behind...)
	d.stalled = nil
	for _, a := range all {
		h.undo(a)
	}
}
