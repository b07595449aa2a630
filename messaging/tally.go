package messaging

import (
	"sync"
	"time"
)

// tally is what a store counts of one user. A user for whom nothing waits has none.
type tally struct {
	records int // in the queue
	delayed int
	bytes   int64 // of both, with RecordCost
	oldest  int64 // Put of the first in the queue, in ms
}

func (t tally) waiting(user string) Waiting {
	w := Waiting{User: user, Records: t.records, Delayed: t.delayed, Bytes: t.bytes}
	if t.records > 0 {
		w.Oldest = time.UnixMilli(t.oldest)
	}
	return w
}

// tallies are a store's counts. They change by drafts only, one at a time.
type tallies struct {
	bounds Bounds // filled in

	mu      sync.RWMutex
	users   map[string]tally
	records int // of all, queues and delayed
	bytes   int64
}

func newTallies(b Bounds) *tallies {
	return &tallies{bounds: b.WithDefaults(), users: make(map[string]tally)}
}

func (c *tallies) waiting(user string) Waiting {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.users[user].waiting(user)
}

func (c *tallies) total() (records int, bytes int64) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.records, c.bytes
}

// draft is a change of counts that is seen once it is published, or never.
type draft struct {
	of      *tallies
	users   map[string]tally // those that change
	records int
	bytes   int64
}

func (c *tallies) draft() *draft {
	return &draft{of: c, users: make(map[string]tally), records: c.records, bytes: c.bytes}
}

func (d *draft) user(name string) tally {
	if t, ok := d.users[name]; ok {
		return t
	}
	return d.of.users[name] // only drafts write there, and there is one at a time
}

// admit tells whether a record has room; nil if so.
func (d *draft) admit(r *Record) error {
	t, size := d.user(r.User), recordSize(len(r.Body))
	switch b := &d.of.bounds; {
	case t.records+t.delayed >= b.UserRecords || t.bytes+size > int64(b.UserBytes):
		return ErrQueueFull
	case d.records >= b.Records || d.bytes+size > b.Bytes:
		return ErrStoreFull
	}
	return nil
}

// add counts a record whose body has so many bytes.
func (d *draft) add(user string, body int, delayed bool, put int64) {
	t, size := d.user(user), recordSize(body)
	switch {
	case delayed:
		t.delayed++
	default:
		if t.records == 0 {
			t.oldest = put
		}
		t.records++
	}
	t.bytes += size
	d.records++
	d.bytes += size
	d.users[user] = t
}

func (d *draft) remove(user string, body int, delayed bool) {
	t, size := d.user(user), recordSize(body)
	if delayed {
		t.delayed--
	} else {
		t.records--
	}
	t.bytes -= size
	d.records--
	d.bytes -= size
	d.users[user] = t
}

// first says what is the first in a user's queue now, by its Put.
func (d *draft) first(user string, put int64) {
	t := d.user(user)
	t.oldest = put
	d.users[user] = t
}

func (d *draft) publish() {
	c := d.of
	c.mu.Lock()
	defer c.mu.Unlock()
	for user, t := range d.users {
		if t.records == 0 && t.delayed == 0 {
			delete(c.users, user)
		} else {
			c.users[user] = t
		}
	}
	c.records, c.bytes = d.records, d.bytes
}

func recordSize(body int) int64 { return int64(body) + RecordCost }

// replace takes the counts of another.
func (c *tallies) replace(other *tallies) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.users, c.records, c.bytes = other.users, other.records, other.bytes
}
