package messaging

import (
	"slices"
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
		for i := range h.shards {
			sh := &h.shards[i]
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

// ages are the messages of the last few seconds, by when they came: those that nobody has taken are stored,
// and those about which nothing can be said are refused. Guarded by the shard's lock.
type ages struct {
	list    []*entry
	patient int // of list, those for which patience has run out
}

// add puts a message where it belongs, which is near the end: it may have waited for the policy.
func (a *ages) add(e *entry) {
	i := len(a.list)
	for i > a.patient && a.list[i-1].at > e.at {
		i--
	}
	a.list = slices.Insert(a.list, i, e)
}

// giveUp refuses all that waits for an outcome: nobody is left to bring one.
func (sh *shard) giveUp() {
	sh.mu.Lock()
	for _, e := range sh.ages.list {
		if !e.done && len(e.waits) > 0 {
			e.user.finish(e, Refused, "", refuseBusy)
		}
	}
	sh.unlock()
}

// grow goes through the messages whose time has come.
func (sh *shard) grow(now time.Duration) {
	sh.mu.Lock()
	a := &sh.ages
	for a.patient < len(a.list) && now-a.list[a.patient].at >= answerTime {
		if e := a.list[a.patient]; !e.done && e.windowed && e.key == 0 && !e.putting {
			e.user.spill()
		}
		a.patient++
	}
	gone := 0
	for gone < a.patient && now-a.list[gone].at >= answerTime+putTime {
		if e := a.list[gone]; !e.done && len(e.waits) > 0 {
			e.user.finish(e, Refused, "", refuseStalled)
		}
		a.list[gone] = nil
		gone++
	}
	a.list, a.patient = a.list[gone:], a.patient-gone
	if len(a.list) == 0 {
		a.list = nil
	}
	sh.unlock()
}
