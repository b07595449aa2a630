package messaging

import (
	"errors"
	"runtime/debug"
	"sync"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/messaging/envelope"
	"github.com/stormwheel/stormwheel/server"
)

// settle tells who waits for a message what became of it, and remembers it for copies. Nobody waits
// then. With the lock held.
func (sh *shard) settle(e *entry, r Result, device string, why *Refusal) {
	sh.recent.settle(e, r)
	sh.ages.remove(e)
	for _, w := range e.waits {
		if w.told != nil {
			out := Outcome{ID: e.id, Result: r, Device: device}
			if why != nil {
				out.Err = why
			}
			sh.tells = append(sh.tells, told{w.told, out})
			continue
		}
		switch {
		case w.from.Incarnation == 0:
			sh.h.tellOutcome(w.from.ID, []byte(e.user.name), w.number, r, device, why)
		case why != nil:
			sh.h.refuse(w.from, w.number, why)
		case r == Expired:
			sh.h.refuse(w.from, w.number, refuseExpired)
		default:
			sh.h.ack(w.from, w.number, r.word())
		}
	}
	e.waits, e.one = nil, [1]waiter{}
}

// tell calls a function of the embedder's.
func (h *Hub) tell(t told) {
	defer func() {
		if p := recover(); p != nil {
			h.cfg.Logger.Error("a function that was told an outcome panicked", "panic", p, "stack", string(debug.Stack()))
		}
	}()
	t.told(t.out)
}

// ack acknowledges a SEND, from any goroutine.
func (h *Hub) ack(from server.Sender, number uint64, word uint8) {
	h.answer(answer{from: from, number: number, word: word})
}

// refuse refuses a SEND, from any goroutine.
func (h *Hub) refuse(from server.Sender, number uint64, why *Refusal) {
	h.answer(answer{from: from, number: number, why: why})
}

// answer is what a client is told about a SEND.
type answer struct {
	from   server.Sender
	number uint64
	word   uint8
	why    *Refusal
	page   []byte // a reply
}

func (h *Hub) answer(a answer) {
	if a.number != 0 && errors.Is(h.say(a), server.ErrBusy) {
		h.late.add(a)
	}
}

func (h *Hub) say(a answer) error {
	srv := h.srv.Load()
	switch {
	case a.page != nil:
		return srv.Reply(a.from, a.number, a.page)
	case a.why == nil:
		return srv.AckRange(a.from, a.number, a.number, a.word)
	}
	err := srv.Nack(a.from, a.number, a.why.Code, a.why.Reason)
	if errors.Is(err, server.ErrCode) || errors.Is(err, codec.ErrField) {
		err = srv.Nack(a.from, a.number, envelope.CodeForbidden, "") // a Policy's mistake
	}
	return err
}

// lateAcks are answers for which a loop's mailbox had no room: fewer than clients have messages open.
type lateAcks struct {
	mu   sync.Mutex
	wait []answer
}

func (l *lateAcks) add(a answer) {
	l.mu.Lock()
	l.wait = append(l.wait, a)
	l.mu.Unlock()
}

func (l *lateAcks) again(h *Hub) {
	l.mu.Lock()
	wait := l.wait
	l.wait = nil
	l.mu.Unlock()
	for _, a := range wait {
		h.answer(a)
	}
}

// receiptTo is a receipt on its way to the sender's shard.
type receiptTo struct {
	user string
	e    *entry
}

// receipt tells the sender of a message that was stored what became of it later. With the lock held.
func (u *user) receipt(e *entry, r Result, why *Refusal) {
	m, err := envelope.Parse(e.body)
	if err != nil || m.Kind != envelope.Message || len(m.User) == 0 {
		return // the node's own, or a receipt itself
	}
	rec := envelope.Envelope{Kind: envelope.Receipt, User: []byte(u.name), ID: m.ID, State: envelope.Delivered, Taken: m.Taken}
	switch r {
	case Refused:
		rec.State, rec.Code, rec.Reason = envelope.Refused, why.Code, []byte(why.Reason)
	case Expired:
		rec.State = envelope.Expired
	}
	body, err := envelope.Append(nil, &rec)
	if err != nil {
		return
	}
	u.sh.sends = append(u.sh.sends, receiptTo{string(m.User), &entry{body: body}})
}

// sendReceipt brings a receipt to a user, as a message that nobody waits for: it is stored if he is
// away, and lost if there is no room.
func (h *Hub) sendReceipt(r receiptTo) {
	r.e.at, r.e.expires = h.since(), h.expiry(h.wall())
	sh := h.shardOf(r.user)
	sh.mu.Lock()
	sh.begin(r.user, r.e)
	sh.unlock()
}
