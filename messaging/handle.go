package messaging

import (
	"bytes"
	"time"

	"github.com/stormwheel/stormwheel/messaging/envelope"
	"github.com/stormwheel/stormwheel/server"
)

// message is Handler.Message: a client wants something.
func (h *Hub) message(s *server.Session, m server.Message) {
	d, ok := s.Data().(*device)
	if !ok {
		refuseNow(s, m.Number, refuseBusy)
		return
	}
	if m.Number == 0 {
		return // nobody could be told what becomes of it
	}
	e, err := envelope.Parse(m.Body)
	if err != nil {
		refuseNow(s, m.Number, refuseMalformed)
		return
	}
	if why := h.screen(d, &e, m.WantsReply); why != nil {
		refuseNow(s, m.Number, why)
		return
	}
	if e.Kind == envelope.ToUser && h.cfg.Policy == nil && d.stalled == nil { // as nearly all are: nothing of it is kept
		if err := h.sendToUser(d, m.Number, h.since(), e); err != nil {
			h.refuseFor(d, m.Number, err)
		}
		return
	}
	a := &asked{d: d, number: m.Number, reply: m.WantsReply, e: e, at: h.since()}
	a.q = Request{Client: d.id, User: d.user.name, Data: d.data, Kind: e.Kind, ToUser: string(e.User), Room: string(e.Room),
		Ask: e.Question, At: e.At}
	a.q.Member = d.isIn(a.q.Room)
	if h.cfg.Policy != nil && h.queuePolicy(a, m.Body) || h.stallsMessage(d, a, m.Body) {
		return
	}
	a.verdict = h.byDefault(&a.q)
	h.obey(s, a)
	if d.stalled != nil { // by this: the body is the session's, and soon another's
		a.e, _ = envelope.Parse(bytes.Clone(m.Body))
	}
}

// queuePolicy has what a client asks wait for the policy, or for what it asked before. False: neither is
// there. On the session's loop.
func (h *Hub) queuePolicy(a *asked, body []byte) bool {
	decides := h.decides(a.e.Kind)
	if !decides && !h.waits(a.d) {
		return false
	}
	a.e, _ = envelope.Parse(bytes.Clone(body)) // it was parsed before
	a.q.Content = a.e.Content
	h.askPolicy(a, decides)
	return true
}

func refuseNow(s *server.Session, number uint64, why *Refusal) {
	_ = s.Nack(number, why.Code, why.Reason)
}

// screen refuses what needs no policy for that.
func (h *Hub) screen(d *device, e *envelope.Envelope, reply bool) *Refusal {
	sh := d.user.sh
	rate, burst, of := h.cfg.JoinRate, float64(h.cfg.MaxRooms+h.cfg.MaxWatches), &d.user.joins
	switch e.Kind {
	case envelope.ToUser, envelope.ToRoom:
		rate, burst, of = h.cfg.MessageRate, 1, &d.user.messages
	case envelope.Join, envelope.Watch, envelope.Ask:
	case envelope.Leave, envelope.Unwatch:
		rate = -1 // who wants less is not refused
	default:
		return refuseMalformed
	}
	switch {
	case reply != (e.Kind == envelope.Ask):
		return refuseUnasked
	case d.incarnation == 0:
		return refuseNameless
	case bytes.IndexByte(e.User, '/') >= 0:
		return refuseDevice
	case len(e.Content) > h.cfg.MaxContent:
		return refuseLarge
	}
	if rate < 0 {
		return nil
	}
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if !of.take(h.since(), rate, burst) {
		return refuseRate
	}
	return nil
}

// obey does what a client wants, if it may. On its session's loop.
func (h *Hub) obey(s *server.Session, a *asked) {
	if a.verdict == nil {
		if a.verdict = h.act(s, a); a.verdict == errWaits {
			a.d.stalled = &stalled{waits: a}
			return
		}
	}
	h.conclude(a)
}

// conclude settles what a client asked, if that is not settled otherwise.
func (h *Hub) conclude(a *asked) {
	if a.verdict != nil {
		h.refuseFor(a.d, a.number, a.verdict)
	}
}

// refuseFor tells a client why it may not, or that nobody can say.
func (h *Hub) refuseFor(d *device, number uint64, err error) {
	why, known := err.(*Refusal)
	if !known {
		why = refuseUndecided
	}
	h.refuse(d.from(), number, why)
}

// act does what a client may do. Nil: it is settled, or will be.
func (h *Hub) act(s *server.Session, a *asked) error {
	switch e := &a.e; e.Kind {
	case envelope.ToUser, envelope.ToRoom:
		return h.send(a)
	case envelope.Ask:
		return h.ask(a)
	case envelope.Join:
		if err := h.join(s, a); err != nil {
			return err
		}
	case envelope.Leave:
		h.leave(s, a.d, string(e.Room))
	case envelope.Watch:
		if err := h.watch(s, a); err != nil {
			return err
		}
	case envelope.Unwatch:
		h.unwatch(s, a.d, e)
	}
	h.ack(a.d.from(), a.number, envelope.AckTaken)
	return nil
}

// send brings a client's message to a user or a room: it needs no session for that.
func (h *Hub) send(a *asked) error {
	if a.e.Kind == envelope.ToUser {
		return h.sendToUser(a.d, a.number, a.at, a.e)
	}
	id := ID{a.d.id, a.d.incarnation, a.number}
	e := a.e
	e.User = []byte(a.d.user.name)
	if h.cfg.Peers != nil {
		return h.sendAbroad(a, id, &e)
	}
	if _, err := h.toRoom(string(e.Room), id, &e); err != nil {
		return err
	}
	h.ack(a.d.from(), a.number, envelope.AckTaken)
	return nil
}

// sendToUser brings a client's message to a user, that came at that time. It keeps nothing of e.
func (h *Hub) sendToUser(d *device, number uint64, at time.Duration, e envelope.Envelope) error {
	to := string(e.User)
	e.User = []byte(d.user.name)
	return h.toUser(to, ID{d.id, d.incarnation, number}, at, &e, waiter{from: d.from(), number: number})
}

// sendAbroad is send to a room whose home may be another node.
func (h *Hub) sendAbroad(a *asked, id ID, e *envelope.Envelope) error {
	from, number := a.d.from(), a.number
	why := h.sayAbroad(string(e.Room), id, e, a.at, func(_ envelope.Position, why *Refusal) {
		if why != nil {
			h.refuse(from, number, why)
			return
		}
		h.ack(from, number, envelope.AckTaken)
	})
	if why != nil {
		return why
	}
	return nil
}

// undo is for what a client asked and its session is gone: messages go their way, the rest it asks
// again.
func (h *Hub) undo(a *asked) {
	switch {
	case a.verdict != nil:
	case a.e.Kind == envelope.ToUser || a.e.Kind == envelope.ToRoom:
		a.verdict = h.send(a)
	default:
		a.verdict = refuseUndecided
	}
	h.conclude(a)
}
