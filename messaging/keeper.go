package messaging

import (
	"sync"
	"time"
)

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
	swept := min(len(sh.sweeps), maxSweeps)
	sweeps := sh.sweeps[:swept:swept]
	if sh.sweeps = sh.sweeps[swept:]; len(sh.sweeps) == 0 {
		sh.sweeps = nil
	}
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
	for _, name := range sweeps {
		sh.sweep(name)
	}
	return n+len(drops)+len(loads)+len(sweeps) > 0
}

// records are what the store gets of messages; what was taken or refused meanwhile is not in it. With
// the lock held.
func (sh *shard) records(puts []*entry) []Record {
	now := sh.h.wall().Truncate(time.Millisecond)
	records := make([]Record, 0, len(puts))
	for _, e := range puts {
		if e.done {
			continue
		}
		e.record = int32(len(records) + 1)
		records = append(records, Record{User: e.user.name, Put: now, Due: e.due, Expires: e.expires, Was: e.was, Body: e.body})
	}
	return records
}

// wasPut notes what the store made of a batch.
func (sh *shard) wasPut(puts []*entry, records []Record, err error) {
	if err != nil {
		sh.h.storeFailed("messages", len(records), "error", err)
	}
	sh.mu.Lock()
	for _, e := range puts {
		u := e.user
		e.putting = false
		u.puts--
		delete(sh.moves, drop{u.name, e.was})
		sh.h.storing.Add(-int64(len(e.body) + RecordCost))
		if e.record > 0 {
			if err == nil {
				sh.h.followUser(u.name, followQueue)
			}
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
				sh.h.storeFailed("drops", len(keys), "error", err) // they come again, and their receiver knows them
			}
		}()
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
		sh.h.storeFailed("user", u.name, "error", err)
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
