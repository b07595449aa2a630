package messaging

import (
	"errors"
	"slices"
	"sync"
	"time"

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

// put hands a message to the putter, or refuses it. With the lock held.
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
	case time.Now().After(e.expires):
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

// detach forgets the window of a user whose last device has gone: it is in the store, or on its way
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

const maxBatch = 1024

// keeper asks the Store for its shard until the hub is closed. Each round it stores and forgets at the
// same time, and then reads: so that what it reads is nothing of which a window knows.
func (sh *shard) keeper() {
	for {
		select {
		case <-sh.work:
		case <-sh.h.ctx.Done():
			return
		}
		for sh.h.ctx.Err() == nil && sh.round() {
		}
	}
}

func (sh *shard) round() (worked bool) {
	sh.mu.Lock()
	n := min(len(sh.puts), maxBatch)
	puts := sh.puts[:n:n]
	if sh.puts = sh.puts[n:]; len(sh.puts) == 0 {
		sh.puts = nil
	}
	drops, loads := sh.drops, sh.loads
	sh.drops, sh.loads = nil, nil
	records := sh.records(puts)
	sh.mu.Unlock()

	var dropping sync.WaitGroup
	sh.forgetAll(drops, &dropping)
	var err error
	if len(records) > 0 {
		err = sh.h.cfg.Store.Put(sh.h.ctx, records)
	}
	sh.wasPut(puts, records, err)
	dropping.Wait()
	for _, u := range loads {
		sh.read(u)
	}
	return n+len(drops)+len(loads) > 0
}

// records are what the store gets of messages; what was taken or refused meanwhile is not in it. With
// the lock held.
func (sh *shard) records(puts []*entry) []Record {
	now := time.Now().Truncate(time.Millisecond)
	records := make([]Record, 0, len(puts))
	for _, e := range puts {
		if e.done {
			continue
		}
		e.record = len(records) + 1
		records = append(records, Record{User: e.user.name, Put: now, Due: e.due, Expires: e.expires, Was: e.was, Body: e.body})
	}
	return records
}

// wasPut notes what the store made of a batch.
func (sh *shard) wasPut(puts []*entry, records []Record, err error) {
	if err != nil {
		sh.h.cfg.Logger.Warn("the store failed", "messages", len(records), "error", err)
	}
	sh.mu.Lock()
	for _, e := range puts {
		u := e.user
		e.putting = false
		u.puts--
		sh.h.storing.Add(-int64(len(e.body) + RecordCost))
		if e.record > 0 {
			u.wasPut(e, &records[e.record-1], err)
		}
		if !e.windowed {
			e.body = nil
		}
		u.load()
		u.forget()
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
	u.sh.settle(e, u.sh.h.stored(), "", nil)
	switch {
	case !e.due.IsZero():
		u.sh.h.clock.plan(e.due)
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

// forgetAll has the store forget records, those of several users at the same time.
func (sh *shard) forgetAll(drops []drop, done *sync.WaitGroup) {
	of := make(map[string][]Key)
	for _, d := range drops {
		of[d.user] = append(of[d.user], d.key)
	}
	for user, keys := range of {
		done.Add(1)
		go func() {
			defer done.Done()
			if err := sh.h.cfg.Store.Drop(sh.h.ctx, user, keys); err != nil && sh.h.ctx.Err() == nil {
				sh.h.cfg.Logger.Warn("the store failed", "drops", len(keys), "error", err) // they come again, and their receiver knows them
			}
		}()
	}
}

// load asks for the next records of a user, if there may be some and his devices have room. With the
// lock held.
func (u *user) load() {
	if u.more && !u.loading && len(u.devices) > 0 && len(u.window) <= maxWindow/2 && u.sh.h.cfg.Store != nil {
		u.loading = true
		u.sh.loads = append(u.sh.loads, u)
	}
}

// read brings the next records of a user to his window.
func (sh *shard) read(u *user) {
	sh.mu.Lock()
	after, room := u.after, maxWindow-len(u.window)
	sh.mu.Unlock()
	var (
		records []Record
		err     error
	)
	if room > 0 {
		records, err = sh.h.cfg.Store.Next(sh.h.ctx, u.name, after, room)
	}
	sh.mu.Lock()
	u.loading = false
	switch {
	case err != nil:
		sh.h.cfg.Logger.Warn("the store failed", "user", u.name, "error", err)
		u.tryAgain()
	case room > 0 && after == u.after: // otherwise his last device has gone since
		u.more = len(records) > 0
		u.enter(records)
		u.load()
	default:
		u.load()
	}
	u.forget()
	sh.unlock()
}

// enter has records go to the devices. With the lock held.
func (u *user) enter(records []Record) {
	now := time.Now()
	for i := range records {
		r := &records[i]
		e := &entry{user: u, key: r.Key, body: r.Body, expires: r.Expires, at: u.sh.h.since(), windowed: len(u.devices) > 0}
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
