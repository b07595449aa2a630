package messaging

import (
	"bytes"
	"hash/maphash"

	"github.com/stormwheel/stormwheel/messaging/envelope"
	"github.com/stormwheel/stormwheel/messaging/internal/between"
	"github.com/stormwheel/stormwheel/server"
)

// The side of the node where a user is: messages of other origins are given to his devices here, and what they
// make of them is told to the origin, which holds them, stores them, and has them go again.

// pushedHere is PUSH.
func (h *Hub) pushedHere(node string, m *between.Message) {
	sh := &h.shards[maphash.Bytes(h.seed, m.User)%shards]
	id := idOf(m.Body)
	sh.mu.Lock()
	defer sh.unlock()
	u, name := sh.users[string(m.User)], ""
	if u != nil {
		name = u.name
	} else {
		name = string(m.User)
	}
	w := waiter{from: server.Sender{ID: node}, number: m.Token}
	if id != (ID{}) {
		if first, word := sh.recent.find(name, id); first != nil {
			first.waits = append(first.waits, w)
			return
		} else if word != 0 {
			h.tellOutcome(node, m.User, m.Token, word, "", nil)
			return
		}
	}
	if u == nil || len(u.devices) == 0 {
		_ = h.tellPeer(node, &between.Message{Kind: between.Outcome, Token: m.Token, User: m.User, Result: between.Gone, Stamp: h.stamps.asOf()})
		return
	}
	e := &entry{user: u, id: id, body: bytes.Clone(m.Body), at: h.since(), foreign: true}
	e.wait(w)
	if id != (ID{}) {
		sh.recent.add(name, id, e, e.at)
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

// tellOutcome tells an origin what became of a message of its. It may be called with any lock held.
func (h *Hub) tellOutcome(node string, user []byte, token uint64, r Result, device string, why *Refusal) {
	m := between.Message{Kind: between.Outcome, Token: token, User: user, Result: uint64(r), Device: []byte(device)}
	switch {
	case why == refuseHandBack:
		m.Result = between.Unwanted
	case why == refuseHandUnsent:
		m.Result = between.Unsent
	case why != nil:
		m.Code, m.Reason = uint64(why.Code), []byte(why.Reason)
	}
	_ = h.tellPeer(node, &m) // it is lost with that node, or asked again
}
