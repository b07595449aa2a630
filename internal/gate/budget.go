package gate

import "sync/atomic"

// Budget bounds the bytes that wait in user space for all clients of a node together: what
// they have not taken, and what they have begun to send and not ended. Any goroutine may use it.
//
// Nobody looks for the largest offender when it is exceeded: over its last eighth,
// everybody's bound shrinks with what is left, so whoever has most queued is over it
// first, whichever loop it is on, and its end is room for the others. (The dynamic
// thresholds of shared-memory switches: Choudhury and Hahne, IEEE/ACM ToN 6(2), 1998.)
type Budget struct {
	Max    int64 // bytes, 0: no budget; set before anybody uses it
	queued atomic.Int64
}

// Queued is how many bytes wait.
func (b *Budget) Queued() int64 { return b.queued.Load() }

// Add notes that so many more bytes wait.
func (b *Budget) Add(more int64) { b.queued.Add(more) }

// Bound is what may wait for one client: limit, or less when the budget runs out.
func (b *Budget) Bound(limit int) int {
	if b.Max <= 0 {
		return limit
	}
	margin := max(b.Max/8, 1)
	free := max(b.Max-b.queued.Load(), 0)
	if free >= margin {
		return limit
	}
	return int(float64(limit) * float64(free) / float64(margin))
}

// Tight says that the last eighth is in use: who holds most must go.
func (b *Budget) Tight() bool { return b.Max > 0 && b.Max-b.queued.Load() < max(b.Max/8, 1) }
