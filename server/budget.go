package server

import "sync/atomic"

// budget bounds the bytes that wait in user space for all clients of a node together.
// Any goroutine may use it.
//
// Nobody looks for the largest offender when it is exceeded: over its last eighth,
// everybody's bound shrinks with what is left, so whoever has most queued is over it
// first, whichever loop it is on, and its end is room for the others. (The dynamic
// thresholds of shared-memory switches: Choudhury and Hahne, IEEE/ACM ToN 6(2), 1998.)
type budget struct {
	max    int64 // 0: no budget
	queued atomic.Int64
}

// bound is what may wait for one client: limit, or less when the budget runs out.
func (b *budget) bound(limit int) int {
	if b.max <= 0 {
		return limit
	}
	margin := max(b.max/8, 1)
	free := max(b.max-b.queued.Load(), 0)
	if free >= margin {
		return limit
	}
	return int(float64(limit) * float64(free) / float64(margin))
}

// overBudget says whether size bytes for one client are more than the budget can bear, whatever
// the client's own limit.
func (r *reactor) overBudget(size int) bool {
	return size > r.shared.budget.bound(max(size, r.cfg.MaxQueued))
}

// waiting is how many bytes wait for the peer, as of the last look.
func (r *reactor) waiting(s *session) int { return int(r.extras.of(s).queued) }

// track notes that queued bytes wait for the peer in user space.
func (r *reactor) track(s *session, queued int) {
	s.set(backlogged)
	x := r.extras.need(s)
	more := int64(queued) - int64(x.queued)
	x.queued = int32(queued)
	if more != 0 {
		r.counters.Queued += more
		r.shared.budget.queued.Add(more)
	}
}

// untrack notes that nothing waits for the peer any more, and forgets the PONG that did.
func (r *reactor) untrack(s *session) {
	if !s.is(backlogged) {
		return
	}
	r.track(s, 0)
	s.clear(backlogged)
	x := r.extras.need(s)
	x.pongDue, x.pongToken = false, 0
	r.extras.spare(s)
}
