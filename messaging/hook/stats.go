package hook

import (
	"errors"
	"sync/atomic"
	"time"

	"github.com/stormwheel/stormwheel/messaging"
	"github.com/stormwheel/stormwheel/server"
)

// Stats are a BackEnd's numbers, each as of the moment at which it was read.
type Stats struct {
	Login  Calls  `json:"login"`
	Policy Calls  `json:"policy"`
	Events Events `json:"events"`
}

// Calls are the numbers of one kind of calls.
type Calls struct {
	Allowed  uint64  `json:"allowed"`
	Denied   uint64  `json:"denied"`
	Expired  uint64  `json:"expired"` // of logins
	Later    uint64  `json:"later"`   // the back end said so
	Failed   uint64  `json:"failed"`  // it was not reached, was late, or its answer was none
	Kept     uint64  `json:"kept"`    // answers about policies that were not asked for again
	InFlight int64   `json:"in_flight"`
	Seconds  float64 `json:"seconds"` // that all calls took together
}

// Events are the numbers of those.
type Events struct {
	Queued  int    `json:"queued"`  // that wait, the batch under way included
	Bytes   int    `json:"bytes"`   // of them, but for that batch, as Config.MaxQueuedBytes counts
	Sent    uint64 `json:"sent"`    // taken by the back end
	Dropped uint64 `json:"dropped"` // for want of room, or because the back end could not read them
	Batches uint64 `json:"batches"` // taken
	Retries uint64 `json:"retries"` // tries of a batch that failed
}

// Stats returns the numbers. It does not block.
func (b *BackEnd) Stats() Stats {
	q := &b.events
	q.mu.Lock()
	events := Events{Queued: len(q.waiting) + q.flight, Bytes: q.bytes, Sent: q.sent, Dropped: q.dropped, Batches: q.batches, Retries: q.failures}
	q.mu.Unlock()
	return Stats{Login: b.logins.count.calls(), Policy: b.policies.count.calls(), Events: events}
}

// counter counts the calls of one kind.
type counter struct {
	allowed, denied, expired, later, failed, hits atomic.Uint64
	flight, took                                  atomic.Int64
}

// begin counts a call under way, until what it returns is called.
func (c *counter) begin(at time.Time) (over func()) {
	c.flight.Add(1)
	return func() {
		c.flight.Add(-1)
		c.took.Add(int64(time.Since(at)))
	}
}

// end counts how a call ended.
func (c *counter) end(err error) {
	var refusal *messaging.Refusal
	switch {
	case err == nil:
		c.allowed.Add(1)
	case errors.Is(err, server.ErrTokenExpired):
		c.expired.Add(1)
	case errors.Is(err, server.ErrUnauthorized), errors.As(err, &refusal):
		c.denied.Add(1)
	case errors.Is(err, errLater):
		c.later.Add(1)
	default:
		c.failed.Add(1)
	}
}

func (c *counter) calls() Calls {
	return Calls{Allowed: c.allowed.Load(), Denied: c.denied.Load(), Expired: c.expired.Load(), Later: c.later.Load(), Failed: c.failed.Load(), Kept: c.hits.Load(),
		InFlight: c.flight.Load(), Seconds: time.Duration(c.took.Load()).Seconds()}
}
