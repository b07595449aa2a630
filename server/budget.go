package server

import (
	"sync/atomic"

	"github.com/stormwheel/stormwheel/timingwheel"
)

// budget bounds the bytes that wait in user space for all clients of a node together: what
// they have not taken, and what they have begun to send and not ended. Any goroutine may use it.
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

// tight says that the last eighth is in use: who holds most must go.
func (b *budget) tight() bool { return b.max > 0 && b.max-b.queued.Load() < max(b.max/8, 1) }

// overBudget says whether size bytes for one client are more than the budget can bear, whatever
// the client's own limit.
func (r *reactor) overBudget(size int) bool {
	return size > r.shared.budget.bound(max(size, r.cfg.MaxQueued))
}

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

// heldCost is what an unfinished frame of which size bytes are here takes: gnet's buffer of it
// has 1 KiB at least, and grows by quarters.
func heldCost(size int) int {
	if size == 0 {
		return 0
	}
	return max(size+size/4, 1<<10)
}

// hold notes that size bytes of a connection's unfinished frame are here, and says whether they
// may be. All bytes that are read and not consumed pass here.
func (r *reactor) hold(slot timingwheel.ID, size int) (ok bool) {
	s := r.sessions.at(slot)
	if size == 0 && s.extra == 0 {
		return true
	}
	x := r.extras.need(s)
	more := int64(heldCost(size)) - int64(x.held)
	x.held += int32(more)
	if more != 0 {
		r.counters.Partial += more
		r.shared.budget.queued.Add(more)
	}
	if size == 0 {
		r.extras.spare(s)
		return true
	}
	return more <= 0 || !r.overBudget(int(x.held)+int(x.queued))
}

// keeps is what a connection takes of the budget.
func (r *reactor) keeps(s *session) int {
	x := r.extras.of(s)
	return int(x.held) + int(x.queued)
}
