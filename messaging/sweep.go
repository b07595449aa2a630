package messaging

import "time"

// What has expired is dropped, and its sender told, when its user comes: he needs not come. So all queues
// are looked through once in a while, and one at once that refuses a message as full.

const (
	sweepTime = 10 * time.Minute
	sweepPage = 256    // users, or records, at a time
	maxSweeps = 8      // queues in a round of the keeper, for whom messages wait
	maxSwept  = 10_000 // queues of a shard that wait for that
)

// sweepAll looks for queues whose first message has lived as long as any may, until the hub is closed.
func (h *Hub) sweepAll() {
	ticker := time.NewTicker(sweepTime)
	defer ticker.Stop()
	for {
		h.sweepOld(h.wall().Add(-h.cfg.Life))
		select {
		case <-ticker.C:
		case <-h.ctx.Done():
			return
		}
	}
}

// sweepOld has queues swept that have something of before a time.
func (h *Hub) sweepOld(before time.Time) {
	for after := ""; h.ctx.Err() == nil; {
		page, err := h.cfg.Store.Users(h.ctx, after, sweepPage)
		if err != nil && h.ctx.Err() == nil {
			h.storeFailed("at", "expired messages", "error", err)
		}
		if len(page) == 0 || err != nil {
			return
		}
		for _, w := range page {
			after = w.User
			if w.Records > 0 && w.Oldest.Before(before) {
				sh := h.shardOf(w.User)
				sh.mu.Lock()
				sh.sweepSoon(w.User)
				sh.unlock()
			}
		}
	}
}

// sweepSoon has the keeper look through a queue, if it gets there before the next time. With the lock held.
func (sh *shard) sweepSoon(user string) {
	if len(sh.sweeps) < maxSwept {
		sh.sweeps = append(sh.sweeps, user)
	}
}

// sweepFull is sweepSoon for a queue that has refused a message, once a second. With the lock held.
func (sh *shard) sweepFull(user string) {
	if now := sh.h.since(); sh.swept == 0 || now-sh.swept >= again {
		sh.swept = now
		sh.sweepSoon(user)
	}
}

// sweep drops what has expired in the queue of a user who is away: who is here has it dropped as it is
// read. It is the keeper's, as all reading is.
func (sh *shard) sweep(name string) {
	for after := Key(0); sh.h.ctx.Err() == nil; {
		page, err := sh.h.cfg.Store.Next(sh.h.ctx, name, after, sweepPage)
		if err != nil && sh.h.ctx.Err() == nil {
			sh.h.storeFailed("user", name, "error", err)
		}
		if len(page) == 0 || err != nil || !sh.expire(name, page) {
			return
		}
		after = page[len(page)-1].Key
	}
}

// expire ends those of a page that have expired, and tells whether their user is still away.
func (sh *shard) expire(name string, page []Record) (away bool) {
	sh.mu.Lock()
	defer sh.unlock()
	u := sh.get(name)
	defer u.forget()
	if u.present() {
		return false
	}
	now, dropped := sh.h.wall(), sh.dropped(name)
	for i := range page {
		if r := &page[i]; now.After(r.Expires) && !dropped[r.Key] {
			u.finish(&entry{user: u, key: r.Key, body: r.Body}, Expired, "", nil)
		}
	}
	return true
}
