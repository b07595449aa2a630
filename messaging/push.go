package messaging

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/stormwheel/stormwheel/messaging/envelope"
	"github.com/stormwheel/stormwheel/server"
)

// entry is a message under way to a user. Guarded by the lock of the user's shard.
type entry struct {
	user    *user
	id      ID
	body    []byte // of its DELIVER
	key     Key    // in the store; 0: it is not there
	was     Key    // of the delayed record whose place it takes
	due     time.Time
	expires time.Time
	at      time.Duration // when it came, to the policy if there is one

	waits   []waiter // who is to be told, once; after that nobody waits
	one     [1]waiter
	seen    uint64   // its number in recent; 0: it has none
	record  int32    // its place in the batch that is being stored, from 1
	out     int32    // devices, and other nodes, that have it and have not answered
	refused *Refusal // by a device's application

	unsent   bool // a device had no room for it
	windowed bool // it is in the user's window
	putting  bool // the store is to take it
	done     bool // taken, refused or expired; what the store has of it is dropped
	held     bool // it waits in the window until it is known on which nodes its user is
	foreign  bool // another node's: it is given to the devices here, and is never stored

	older, newer *entry // of its age
	ages         *ageList
}

// waiter is who wants to know what becomes of a message: a client, a caller of Push, or another node that is its origin.
type waiter struct {
	from   server.Sender // a client; or, without an incarnation, which clients have, a node by its name
	number uint64        // of the client's SEND, or the node's token
	told   func(Outcome)
}

// told is an outcome on its way to a caller of Push.
type told struct {
	told func(Outcome)
	out  Outcome
}

// Push sends a message to all devices of a user that are online, or stores it. Unless it returns an
// error, settled is called once, within 5 s: Delivered when the first device has acknowledged it, Durable
// or Held when the store has it, Refused or Expired otherwise. It is called on a goroutine of the hub's
// or an event loop, perhaps before Push returns, and must not block. It may be nil.
//
// Errors: ErrName, ErrNotStarted, ErrClosed, and a *Refusal for what is too large or too far ahead.
func (h *Hub) Push(user string, m Message, settled func(Outcome)) error {
	if _, err := h.ready(); err != nil {
		return err
	}
	if !ValidUser(user) || m.From != "" && !ValidUser(m.From) {
		return ErrName
	}
	e := envelope.Envelope{User: []byte(m.From), Content: m.Content, At: m.At, Life: m.Life}
	w := waiter{told: settled}
	if err := h.toUser(user, h.named(m.ID), h.since(), &e, w); err != nil {
		return err
	}
	return nil
}

// named gives a message of the node itself a name, if it has none.
func (h *Hub) named(id ID) ID {
	if id == (ID{}) {
		id = h.name
		id.Number = h.number.Add(1)
	}
	return id
}

// Broadcast sends a message to all clients that are connected, on all nodes, as one that asks for no
// answer: nothing is stored, and who is slow does not get it. It returns how many sessions there were. It waits for
// other nodes, for a second at most: not to be called from a handler. Errors: ErrName, ErrNotStarted, ErrClosed, a
// *Refusal for what is too large, those of server.Server.Broadcast, then ErrPartial and ctx's: then some have it.
func (h *Hub) Broadcast(ctx context.Context, m Message) (sessions int, err error) {
	if _, err := h.ready(); err != nil {
		return 0, err
	}
	switch {
	case m.From != "" && !ValidUser(m.From):
		return 0, ErrName
	case len(m.Content) > h.cfg.MaxContent:
		return 0, refuseLarge
	}
	e := envelope.Envelope{Kind: envelope.Message, User: []byte(m.From), Content: m.Content, ID: h.named(m.ID).envelope(), Taken: h.wall()}
	body, err := envelope.Append(nil, &e)
	if err != nil {
		return 0, err
	}
	if sessions, err = h.broadcastHere(body); err != nil {
		return 0, err
	}
	answers, partial, err := h.inquire(ctx, inquireBroadcast, &inquiry{Body: body})
	if merge(answers, func(n *int) { sessions += *n }) || partial {
		err = cmp.Or(err, ErrPartial)
	}
	return sessions, err
}

// broadcastHere sends a body to the clients of this node.
func (h *Hub) broadcastHere(body []byte) (sessions int, err error) {
	sessions = int(h.counts.devices.Load())
	if err := h.srv.Load().Broadcast(body, nil); !errors.Is(err, server.ErrTooBig) {
		return sessions, err
	}
	return 0, refuseLarge
}

// toUser takes what e says, as a message of that id that came at that time: e.User is whom it comes from, and its
// content is copied. Of what is refused at once w is told nothing.
func (h *Hub) toUser(user string, id ID, at time.Duration, e *envelope.Envelope, w waiter) error {
	now := h.wall()
	switch {
	case len(e.Content) > h.cfg.MaxContent:
		return refuseLarge
	case h.leaving.Load():
		return refuseBusy
	}
	n := &entry{id: id, at: at, expires: h.expiry(now)}
	if e.Life > 0 && e.Life < h.cfg.Life {
		n.expires = now.Add(e.Life)
	}
	if e.At.After(now) {
		if e.At.After(now.Add(h.cfg.Life)) {
			return refuseLate
		}
		if h.cfg.Store == nil {
			return refuseAway
		}
		n.due, n.expires = e.At, n.expires.Add(e.At.Sub(now))
	}
	body, err := envelope.Append(nil, &envelope.Envelope{Kind: envelope.Message, User: e.User, ID: id.envelope(),
		Time: e.Time, Taken: now, Content: e.Content})
	if err != nil {
		return &Refusal{envelope.CodeMalformed, "its fields do not fit an envelope"}
	}
	if len(body) > h.srv.Load().MaxBody() {
		return refuseLarge // no frame could bring it, and it would wait in the store for nothing
	}
	n.body = body
	n.wait(w)
	sh := h.shardOf(user)
	sh.mu.Lock()
	sh.take(user, n)
	sh.unlock()
	return nil
}

func (h *Hub) expiry(now time.Time) time.Time { return now.Truncate(time.Millisecond).Add(h.cfg.Life) }

func (e *entry) wait(w waiter) {
	if w.number != 0 || w.told != nil {
		if e.waits == nil {
			e.waits = e.one[:0] // there is hardly ever another
		}
		e.waits = append(e.waits, w)
	}
}

// take has a new message go its way: to the devices, or into the store. With the lock held.
func (sh *shard) take(name string, e *entry) {
	if first, word := sh.recent.find(name, e.id); first != nil {
		first.waits = append(first.waits, e.waits...) // it is under way
		if first.foreign {
			first.user.adopt(first, e)
		}
		sh.ages.add(first) // perhaps for longer than anybody waits
		return
	} else if word != 0 {
		sh.settle(e, word, "", nil)
		return
	}
	sh.recent.add(name, e.id, e, e.at)
	sh.begin(name, e)
}

// begin is take of what is no copy.
func (sh *shard) begin(name string, e *entry) {
	u := sh.get(name)
	e.user = u
	sh.ages.add(e)
	if e.due.IsZero() && u.reachable() && !u.behind() {
		e.windowed = true
		u.window = append(u.window, e)
		u.giveAll(e)
		return
	}
	u.store(e)
	u.forget()
}

// maxWindow is how many messages of a user its devices have at most without having acknowledged them.
const maxWindow = 64

// behind tells whether what is new has to go behind something in the store. With the lock held.
func (u *user) behind() bool { return u.more || u.loading || u.puts > 0 || len(u.window) >= maxWindow }

// giveAll sends a message to all devices of its user, wherever they are. With the lock held.
func (u *user) giveAll(e *entry) {
	if e.held = !u.known(); e.held {
		return
	}
	u.giveHere(e)
	if u.where != nil {
		u.giveThere(e)
	}
	if e.out == 0 && !e.done {
		u.unwanted(e)
	}
}

// giveHere sends a message to the devices on this node. With the lock held.
func (u *user) giveHere(e *entry) {
	for _, d := range u.devices {
		if e.done {
			return
		}
		u.give(e, d)
	}
}

// give sends a message to a device, whose answer is told to answered. With the lock held.
func (u *user) give(e *entry, d *device) {
	err := u.sh.h.srv.Load().DeliverFunc(d.ref, e.body, func(o server.Outcome) { u.answered(e, d, o) })
	switch {
	case err == nil:
		e.out++
	case errors.Is(err, server.ErrTooBig):
		u.finish(e, Refused, "", refuseLarge)
	}
}

// answered is told once what a device made of a message.
func (u *user) answered(e *entry, d *device, o server.Outcome) {
	v := verdict{device: d.id, unsent: o.Result == server.Unsent}
	switch {
	case o.Result == server.Acknowledged || o.Result == server.Replied:
		v.result = Delivered
	case o.Result == server.Refused && !o.Code.Again():
		v.why = &Refusal{o.Code, o.Reason}
	}
	u.sh.mu.Lock()
	u.judge(e, v)
	u.load()
	u.forget()
	u.sh.unlock()
}

// verdict is what a device, or those on another node, made of a message.
type verdict struct {
	result Result   // Delivered, or what another node did with it; 0: nothing
	device string   // that took it
	why    *Refusal // its application's
	unsent bool     // it had no room
}

// judge notes a verdict. With the lock held.
func (u *user) judge(e *entry, v verdict) {
	e.out--
	if e.done {
		return
	}
	switch {
	case v.result != 0:
		u.finish(e, v.result, v.device, nil)
		u.resend()
		return
	case v.unsent:
		e.unsent = true
	case v.why != nil:
		e.refused = v.why
	}
	if e.out == 0 {
		u.unwanted(e)
	}
}

// resend sends what a device had no room for, now that it has taken something. With the lock held.
func (u *user) resend() {
	if !u.retry {
		return
	}
	for _, e := range slices.Clone(u.window) {
		if e.unsent && e.out == 0 && !e.done {
			e.unsent = false
			u.giveAll(e)
		}
	}
}

// unwanted is a message that no device has taken and none has any more: it is refused if an application
// has refused it, and goes back to the queue otherwise. With the lock held.
func (u *user) unwanted(e *entry) {
	switch {
	case e.refused != nil:
		u.finish(e, Refused, "", e.refused)
		return
	case e.foreign:
		u.handBack(e)
		return
	}
	u.spill()
	if !e.done && u.present() {
		u.tryAgain()
	}
}

// finish ends a message: who waits is told, and the store forgets it. With the lock held.
func (u *user) finish(e *entry, r Result, device string, why *Refusal) {
	stored := e.key != 0
	e.done = true
	if stored {
		u.sh.drops = append(u.sh.drops, drop{u.name, e.key})
	}
	switch {
	case e.windowed:
		u.removeFromWindow(e)
	case e.foreign:
		u.where.foreign = without(u.where.foreign, e)
	}
	if stored && len(e.waits) == 0 {
		u.receipt(e, r, why) // its sender was told that it is stored
	}
	if stored {
		u.tellMessage(eventOf(r), e, device, why)
	}
	u.sh.settle(e, r, device, why)
	if !e.putting {
		e.body = nil
	}
}

func (u *user) removeFromWindow(e *entry) {
	e.windowed = false
	u.window = without(u.window, e)
}

// without removes an entry from a list, which is nil if it was the last.
func without(list []*entry, e *entry) []*entry {
	i := slices.Index(list, e)
	if i < 0 {
		return list
	}
	if list = slices.Delete(list, i, i+1); len(list) == 0 {
		return nil
	}
	return list
}
