package messaging

import (
	"sync"
	"time"

	"github.com/stormwheel/stormwheel/timingwheel"
)

// Delayed messages lie in the Store under keys of their own. The wheel knows when the next of them are
// due, the Store which: so nothing is lost that the wheel does not know, and after a restart it needs
// to know nothing. It also keeps the graces of devices that went.

const (
	horizon  = time.Minute      // how far ahead the wheel knows what is due
	lookTime = 30 * time.Second // how often the store is asked at least, whatever the wheel says
	maxPlans = 100_000          // of delayed messages in the wheel; with more the store is asked every second
	duePage  = 256
)

// clock is the hub's wheel. The lock is of the wheel alone: what is due is done after it.
type clock struct {
	mu    sync.Mutex
	wheel *timingwheel.Wheel
	what  []alarm // beside the wheel, by ID
	due   []alarm
	plans int
	crowd bool      // there are more delayed messages than plans
	known time.Time // what is due until then is in the wheel
	began time.Time // the zero of the wheel's time

	look chan struct{} // wakes moveDue
}

// alarm is what to do at a time: look for due messages, or end a grace.
type alarm struct {
	user   string // whose device went; empty: messages are due
	device string
	stamp  uint64
	far    *otherDevice // in place of device; stamp is the number of its grace
}

func (c *clock) init(began time.Time) (err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.wheel == nil {
		c.wheel, err = timingwheel.New(timingwheel.Config{Tick: tickTime})
		c.look, c.began = make(chan struct{}, 1), began
	}
	return err
}

func (c *clock) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.wheel != nil {
		_ = c.wheel.Close()
		c.wheel = nil
	}
}

// set has an alarm go off after a time. With the clock's lock held.
func (c *clock) set(after time.Duration, a alarm) {
	if c.wheel == nil {
		return
	}
	c.wheel.Observe(time.Since(c.began))
	id := int(c.wheel.Add(max(0, after)))
	for len(c.what) <= id {
		c.what = append(c.what, alarm{})
	}
	c.what[id] = a
}

// grace ends a device's grace after a time.
func (c *clock) grace(after time.Duration, a alarm) {
	c.mu.Lock()
	c.set(after, a)
	c.mu.Unlock()
}

// plan has the store be asked when a delayed message is due, if that is soon; otherwise survey does.
func (c *clock) plan(now, due time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case due.After(c.known):
	case c.plans >= maxPlans:
		c.crowd = true
	default:
		c.plans++
		c.set(due.Sub(now)+time.Millisecond, alarm{})
	}
}

// advance does what is due.
func (c *clock) advance(h *Hub, now time.Duration) {
	c.mu.Lock()
	if c.wheel == nil {
		c.mu.Unlock()
		return
	}
	due, look := c.due[:0], c.crowd
	c.wheel.Advance(now, timingwheel.Budget{}, func(id timingwheel.ID) time.Duration {
		if a := c.what[id]; a.user != "" {
			due = append(due, a)
		} else {
			c.plans--
			look = true
		}
		c.what[id] = alarm{}
		return timingwheel.Done
	})
	c.due = due
	c.mu.Unlock()
	if look {
		wake(c.look)
	}
	for _, a := range due {
		if a.far != nil {
			h.otherGraceEnds(a)
		} else {
			h.graceEnds(a)
		}
	}
	clear(due)
}

// moveDue brings what is due to the queues, until the hub is closed.
func (h *Hub) moveDue() {
	ticker := time.NewTicker(lookTime)
	defer ticker.Stop()
	h.survey()
	for {
		h.moveAll(h.wall())
		select {
		case <-h.clock.look:
		case <-ticker.C:
			h.survey()
		case <-h.ctx.Done():
			return
		}
	}
}

// survey plans for what is due within the horizon.
func (h *Hub) survey() {
	c := &h.clock
	now := h.wall()
	c.mu.Lock()
	c.crowd = false
	from := c.known
	if from.Before(now) || from.After(now.Add(horizon)) {
		from = now // it has stood still, or somebody has set the clock
	}
	c.known = now.Add(horizon) // what is stored from now on is planned by who stores it
	c.mu.Unlock()
	after := Moment{Due: from}
	for {
		page, err := h.cfg.Store.Due(h.ctx, now.Add(horizon), after, duePage)
		if err != nil {
			h.dueFailed(err)
			return
		}
		if len(page) == 0 {
			return
		}
		for _, r := range page {
			c.plan(now, r.Due)
			after = Moment{r.Due, r.Key}
		}
	}
}

// moveAll has what is due take its place in the queue.
func (h *Hub) moveAll(now time.Time) {
	var after Moment
	for h.ctx.Err() == nil {
		page, err := h.cfg.Store.Due(h.ctx, now, after, duePage)
		if err != nil {
			h.dueFailed(err)
			return
		}
		if len(page) == 0 {
			return
		}
		for i := range page {
			h.move(&page[i])
			after = Moment{page[i].Due, page[i].Key}
		}
	}
}

// move has a delayed record take its place in the queue, unless it is on its way there: while the store stalls it is
// found again and again. One that has expired meanwhile goes there, too: what the store moves once is told once.
func (h *Hub) move(r *Record) {
	sh := h.shardOf(r.User)
	sh.mu.Lock()
	defer sh.unlock()
	if sh.moves[drop{r.User, r.Key}] {
		return
	}
	u := sh.get(r.User)
	e := &entry{user: u, body: r.Body, was: r.Key, expires: r.Expires, at: h.since()}
	if u.store(e); e.putting {
		sh.moves[drop{r.User, r.Key}] = true
	}
	u.forget()
}

func (h *Hub) dueFailed(err error) {
	if h.ctx.Err() == nil {
		h.storeFailed("at", "delayed messages", "error", err)
	}
}
