package messaging

import (
	"errors"
	"slices"

	"github.com/stormwheel/stormwheel/cluster"
	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/messaging/internal/between"
)

// The side of the origin: what it sends to the nodes of a user, and what they say to that.

// giveThere sends a message to the other nodes of its user. With the lock held.
func (u *user) giveThere(e *entry) {
	for _, r := range u.where.remotes {
		if e.done {
			return
		}
		u.push(e, r)
	}
}

// giveAllTo sends a node what the user has not acknowledged, in order: those that have it may be dead. With the
// lock held.
func (u *user) giveAllTo(r *remote) {
	for _, e := range slices.Clone(u.window) {
		if !e.held && !e.done {
			u.push(e, r)
		}
	}
}

// push sends a message to another node, whose answer is told to outcomeThere. With the lock held.
func (u *user) push(e *entry, r *remote) {
	if len(r.sessions) == 0 {
		return
	}
	h := u.sh.h
	token := h.token.Add(1)
	switch err := h.tellPeer(r.node, &between.Message{Kind: between.Push, Token: token, User: []byte(u.name), Body: e.body}); {
	case err == nil:
		e.out++
		r.flight = append(r.flight, pushed{token, e})
	case errors.Is(err, between.ErrFull):
		e.unsent = true
	case errors.Is(err, cluster.ErrTooBig):
		u.finish(e, Refused, "", refuseLarge)
	}
}

// outcomeThere is OUTCOME: what the devices at another node made of a message.
func (h *Hub) outcomeThere(node string, m *between.Message) {
	sh := h.shardOf(string(m.User))
	sh.mu.Lock()
	defer sh.unlock()
	u := sh.users[string(m.User)]
	if u == nil {
		return
	}
	r := u.where.remote(node)
	if r == nil {
		return
	}
	i := slices.IndexFunc(r.flight, func(p pushed) bool { return p.token == m.Token })
	if i < 0 {
		return
	}
	e := r.flight[i].e
	if r.flight = slices.Delete(r.flight, i, i+1); len(r.flight) == 0 {
		r.flight = nil
	}
	if m.Result == between.Gone {
		r.sessions = slices.DeleteFunc(r.sessions, func(s sessionThere) bool { return s.stamp <= m.Stamp })
	}
	u.judge(e, e.verdictThere(m))
	u.leftOver(r)
	u.settleIn()
}

// verdictThere reads what another node says of a message. With the lock held.
func (e *entry) verdictThere(m *between.Message) (v verdict) {
	switch m.Result {
	case between.Delivered, between.Expired:
		v.result, v.device = Result(m.Result), string(m.Device)
	case between.Durable, between.Held: // it is that node's, whose sender came from here, or went there
		if e.key == 0 && !e.putting {
			v.result = Result(m.Result)
		}
	case between.Refused:
		if code := codec.NackCode(m.Code); !code.Again() {
			v.why = &Refusal{code, string(m.Reason)}
		}
	case between.Unsent:
		v.unsent = true
	}
	return v
}

// giveUp has all that a node has been sent, and has not answered, be wanted by nobody there. With the lock held.
func (u *user) giveUp(r *remote) {
	flight := r.flight
	r.flight = nil
	for _, p := range flight {
		u.judge(p.e, verdict{})
	}
}

// pushAgain is giveUp for a node that has the user all the same. With the lock held.
func (u *user) pushAgain(r *remote) {
	flight := r.flight
	r.flight = nil
	for _, p := range flight {
		p.e.out--
		if p.e.done {
			continue
		}
		if u.push(p.e, r); p.e.out == 0 && !p.e.done {
			u.unwanted(p.e)
		}
	}
}
