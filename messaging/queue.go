package messaging

import (
	"errors"
	"slices"

	"github.com/stormwheel/stormwheel/messaging/envelope"
)

// What waits for a user lies in the Store; his window is the part of it that his devices have, or had.
// Each shard has a goroutine for the Store. So the records of a user are put in their order, and a store
// that stalls holds up that goroutine, and no loop.

// drop is a record to be forgotten by the store.
type drop struct {
	user string
	key  Key
}

// dropped are the records of a user that have come to their end and that the store still brings. With the lock held.
func (sh *shard) dropped(user string) (keys map[Key]bool) {
	for _, d := range sh.drops {
		if d.user == user {
			if keys == nil {
				keys = make(map[Key]bool)
			}
			keys[d.key] = true
		}
	}
	return keys
}

// store has a message stored, behind all of its user that is not stored. With the lock held.
func (u *user) store(e *entry) {
	if !e.windowed {
		u.spill()
	}
	u.put(e)
}

// spill has all that devices have and the store has not stored, in order. With the lock held.
func (u *user) spill() {
	for i := 0; i < len(u.window); {
		e := u.window[i]
		if e.key == 0 && !e.putting {
			u.put(e)
		}
		if i < len(u.window) && u.window[i] == e {
			i++
		}
	}
}

// put hands a message to the putter, or ends it. With the lock held.
func (u *user) put(e *entry) {
	h := u.sh.h
	size := int64(len(e.body) + RecordCost)
	switch {
	case h.cfg.Store == nil:
		u.finish(e, Refused, "", refuseAway)
		return
	case h.ctx.Err() != nil:
		u.finish(e, Refused, "", refuseBusy)
		return
	case e.was == 0 && h.wall().After(e.expires):
		u.finish(e, Expired, "", nil)
		return
	case h.storing.Add(size) > int64(h.cfg.MaxStoring):
		h.storing.Add(-size)
		u.finish(e, Refused, "", refuseBusy)
		return
	}
	e.putting = true
	u.puts++
	u.sh.puts = append(u.sh.puts, e)
}

// detach forgets the window of a user whose last device has gone, of all nodes: it is in the store, or on its way
// there. With the lock held.
func (u *user) detach() {
	u.spill()
	for _, e := range u.window {
		e.windowed = false
		u.more = u.more || e.key != 0
	}
	u.window, u.after = nil, 0
}

// spillAll stores what devices have, of all users.
func (sh *shard) spillAll() {
	sh.mu.Lock()
	for _, u := range sh.users {
		u.spill()
	}
	sh.unlock()
}

// wasPut notes what the store made of a message. With the lock held.
func (u *user) wasPut(e *entry, r *Record, err error) {
	switch {
	case err != nil:
		u.refuse(e, refuseStoreFails)
		return
	case errors.Is(r.Refused, ErrQueueFull):
		u.refuse(e, refuseQueueFull)
		u.sh.sweepFull(u.name)
		return
	case r.Refused != nil:
		u.refuse(e, refuseStoreFull)
		return
	case r.Key == 0: // a delayed one that is in the queue already
		return
	}
	e.key = r.Key
	if e.done { // the store may not bring what was taken or refused
		u.sh.drops = append(u.sh.drops, drop{u.name, e.key})
		return
	}
	if e.was != 0 && u.sh.h.wall().After(e.expires) { // while the node was down, or the store stalled
		u.finish(e, Expired, "", nil)
		return
	}
	u.sh.settle(e, u.sh.h.stored(), "", nil)
	if e.due.IsZero() && u.sh.h.wall().Before(e.expires) {
		u.tellMessage(EventUndelivered, e, "", nil)
	}
	switch {
	case !e.due.IsZero():
		u.sh.h.clock.plan(u.sh.h.wall(), e.due)
	case e.windowed:
		u.after = max(u.after, e.key)
		if e.out == 0 {
			u.tryAgain()
		}
	default:
		u.more = true
	}
}

// refuse ends a message that is not stored, unless it was taken meanwhile. With the lock held.
func (u *user) refuse(e *entry, why *Refusal) {
	if !e.done && e.was == 0 {
		u.finish(e, Refused, "", why)
	}
}

// stored is what is told of a message that the store has.
func (h *Hub) stored() Result {
	if h.cfg.Store.Durable() {
		return Durable
	}
	return Held
}

// load asks for the next records of a user, if there may be some and his devices have room. With the
// lock held.
func (u *user) load() {
	if u.more && !u.loading && len(u.window) <= maxWindow/2 && u.sh.h.cfg.Store != nil && u.reachable() {
		u.loading = true
		u.sh.loads = append(u.sh.loads, u)
	}
}

// enter has records go to the devices. With the lock held.
func (u *user) enter(records []Record) {
	now, dropped := u.sh.h.wall(), u.sh.dropped(u.name)
	for i := range records {
		r := &records[i]
		if dropped[r.Key] {
			u.after = r.Key
			continue
		}
		e := &entry{user: u, key: r.Key, body: r.Body, expires: r.Expires, at: u.sh.h.since(), windowed: u.present()}
		if now.After(r.Expires) {
			u.after = r.Key
			e.windowed = false
			u.finish(e, Expired, "", nil)
			continue
		}
		if !e.windowed {
			u.more = true
			return
		}
		if h := u.sh.h; r.Put.Before(h.began) && h.began.Sub(r.Put) > recentTime {
			envelope.Mark(e.body)
		}
		u.after = r.Key
		u.window = append(u.window, e)
		u.giveAll(e)
	}
}

// tryAgain has the clock give the devices once more what none of them has. With the lock held.
func (u *user) tryAgain() {
	if !u.retry {
		u.retry = true
		u.sh.retries = append(u.sh.retries, u)
	}
}

// again is what tryAgain asked for.
func (sh *shard) again() {
	sh.mu.Lock()
	retries := sh.retries
	sh.retries = nil
	for _, u := range retries {
		u.retry = false
		for _, e := range slices.Clone(u.window) {
			if e.out == 0 && !e.done {
				e.refused = nil
				u.giveAll(e)
			}
		}
		u.load()
		u.forget()
	}
	sh.unlock()
}
