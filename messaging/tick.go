package messaging

import (
	"math"
	"time"
)

// Every SEND is settled within 5 s: so much of them may the policy and the devices take, and so much
// the store. The rest is for a tick and the way there.
const (
	answerTime = 3 * time.Second
	putTime    = 1500 * time.Millisecond
	tickTime   = 250 * time.Millisecond
	again      = time.Second // after which a device is asked once more
)

// tick does what time asks for, until the hub is closed.
func (h *Hub) tick() {
	ticker := time.NewTicker(tickTime)
	defer ticker.Stop()
	lastSecond := h.since()
	pulse := pulse{lastSecond}
	for {
		select {
		case <-ticker.C:
		case <-h.ctx.Done():
			return
		}
		now := h.since()
		h.late.again(h)
		second := now-lastSecond >= again
		if second {
			lastSecond = now
			h.window.Store(int64(h.srv.Load().Stats().Window))
		}
		slept := pulse.slept(now)
		for i := range h.shards {
			sh := &h.shards[i]
			if slept > 0 {
				sh.excuse(now, slept)
			}
			sh.grow(now)
			if h.cfg.Peers != nil {
				sh.growPlaces(now, second)
			}
			if second {
				sh.again()
			}
		}
		h.clock.advance(h, now)
		if h.cfg.Peers != nil {
			if second {
				h.tidyFollows()
			}
			h.tickStreams()
		}
	}
}

// ages are the messages of the last few seconds of which somebody waits to hear, by when they came: those that
// nobody has taken are stored, and those about which nothing can be said are refused. What is settled is in it no
// more. Guarded by the shard's lock.
type ages struct {
	fresh   ageList
	patient ageList // those for which patience has run out
}

// ageList are messages by their age. Its zero value is empty.
type ageList struct{ oldest, newest *entry }

// add puts a message where it belongs, which is near the end: it may have waited for the policy.
func (a *ages) add(e *entry) {
	if e.ages == nil {
		a.fresh.add(e)
	}
}

// remove takes a message out, if it is there.
func (a *ages) remove(e *entry) {
	if e.ages != nil {
		e.ages.remove(e)
	}
}

func (l *ageList) add(e *entry) {
	before := l.newest
	if l.oldest != nil && e.at < l.oldest.at {
		before = nil
	}
	for before != nil && before.at > e.at {
		before = before.older
	}
	e.ages, e.older = l, before
	if before == nil {
		e.newer, l.oldest = l.oldest, e
	} else {
		e.newer, before.newer = before.newer, e
	}
	if e.newer == nil {
		l.newest = e
	} else {
		e.newer.older = e
	}
}

func (l *ageList) remove(e *entry) {
	if e.older == nil {
		l.oldest = e.newer
	} else {
		e.older.newer = e.newer
	}
	if e.newer == nil {
		l.newest = e.older
	} else {
		e.newer.older = e.older
	}
	e.ages, e.older, e.newer = nil, nil, nil
}

// before takes out the oldest message, if it came so long ago; nil: it did not, or there is none.
func (l *ageList) before(at time.Duration) *entry {
	e := l.oldest
	if e == nil || e.at > at {
		return nil
	}
	l.remove(e)
	return e
}

// giveUp refuses all that waits for an outcome: nobody is left to bring one.
func (sh *shard) giveUp() {
	sh.mu.Lock()
	for _, l := range []*ageList{&sh.ages.patient, &sh.ages.fresh} {
		for e := l.before(math.MaxInt64); e != nil; e = l.before(math.MaxInt64) {
			if !e.done && len(e.waits) > 0 {
				e.user.finish(e, Refused, "", refuseBusy)
			}
		}
	}
	sh.unlock()
}

// grow goes through the messages whose time has come.
func (sh *shard) grow(now time.Duration) {
	sh.mu.Lock()
	a := &sh.ages
	for e := a.fresh.before(now - answerTime); e != nil; e = a.fresh.before(now - answerTime) {
		a.patient.add(e)
		if !e.done && e.windowed && e.key == 0 && !e.putting {
			e.user.spill()
		}
	}
	for e := a.patient.before(now - answerTime - putTime); e != nil; e = a.patient.before(now - answerTime - putTime) {
		if !e.done && len(e.waits) > 0 {
			e.user.finish(e, Refused, "", refuseStalled)
		}
	}
	sh.unlock()
}
