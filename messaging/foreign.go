package messaging

import (
	"bytes"
	"errors"

	"github.com/stormwheel/stormwheel/messaging/envelope"
	"github.com/stormwheel/stormwheel/messaging/internal/between"
)

// The side of the node where a user is: messages of other origins are given to his devices here, and what they
// make of them is told to the origin, which holds them, stores them, and has them go again.

// pushedHere is PUSH.
func (h *Hub) pushedHere(node string, m *between.Message) {
	name := string(m.User)
	e := &entry{id: idOf(m.Body), foreign: true}
	e.wait(waiter{told: h.tellOutcome(node, name, m.Token)})
	sh := h.shardOf(name)
	sh.mu.Lock()
	defer sh.unlock()
	if e.id != (ID{}) {
		if first, word := sh.recent.find(name, e.id); first != nil {
			first.waits = append(first.waits, e.waits...)
			return
		} else if word != 0 {
			sh.settle(e, word, "", nil)
			return
		}
	}
	u := sh.users[name]
	if u == nil || len(u.devices) == 0 {
		_ = h.tellPeer(node, &between.Message{Kind: between.Outcome, Token: m.Token, User: m.User, Result: between.Gone, Stamp: h.stamps.asOf()})
		return
	}
	e.user, e.body, e.at = u, bytes.Clone(m.Body), h.since()
	if e.id != (ID{}) {
		sh.recent.add(name, e.id, e, e.at)
	}
	p := u.place()
	p.foreign = append(p.foreign, e)
	u.giveHere(e)
	if e.out == 0 && !e.done {
		u.unwanted(e)
	}
}

// idOf is the name of a message, nothing for a receipt: of one message there may be two.
func idOf(body []byte) ID {
	e, err := envelope.Parse(body)
	if err != nil || e.Kind != envelope.Message {
		return ID{}
	}
	return ID{Sender: string(e.ID.Sender), Incarnation: e.ID.Incarnation, Number: e.ID.Number}
}

// handBack has the origin know that no device here took a message, and none has it any more. With the lock held.
func (u *user) handBack(e *entry) {
	why := refuseHandBack
	if e.unsent {
		why = refuseHandUnsent
	}
	u.finish(e, Refused, "", why)
}

// adopt makes another node's message this one's: its sender, who has come here since, has sent a copy, and waits for
// what this node makes of it. With the lock held.
func (u *user) adopt(e, copy *entry) {
	u.where.foreign = without(u.where.foreign, e)
	e.foreign, e.expires, e.at = false, copy.expires, copy.at
	if u.behind() {
		u.store(e)
		return
	}
	e.windowed = true
	u.window = append(u.window, e)
	if u.known() {
		u.giveThere(e)
	}
}

// tellOutcome is a waiter's told that tells an origin.
func (h *Hub) tellOutcome(node, user string, token uint64) func(Outcome) {
	return func(o Outcome) {
		m := between.Message{Kind: between.Outcome, Token: token, User: []byte(user), Result: uint64(o.Result), Device: []byte(o.Device)}
		var why *Refusal
		switch {
		case o.Err == refuseHandBack:
			m.Result = between.Unwanted
		case o.Err == refuseHandUnsent:
			m.Result = between.Unsent
		case errors.As(o.Err, &why):
			m.Code, m.Reason = uint64(why.Code), []byte(why.Reason)
		}
		_ = h.tellPeer(node, &m) // it is lost with that node, or asked again
	}
}
