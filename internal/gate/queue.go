package gate

import (
	"sync"
	"time"
)

// MaxWait bounds the queue at HELLO: a client that would wait longer is told to back off
// without a slot.
const MaxWait = time.Minute

// Queue hands out slots at the node's pace, for all loops. Any goroutine may use it.
type Queue struct {
	mu   sync.Mutex
	pace Pace
	due  time.Duration // when the coming slot is
}

// NewQueue paces at rate clients a second, with half a second's worth at once, so that
// clients who return evenly but not exactly so need no second attempt.
func NewQueue(rate float64) *Queue {
	q := &Queue{}
	q.SetRate(0, rate)
	q.due = -q.pace.Burst
	return q
}

// longestGap is that of a rate of next to nothing, so that sums of times do not overflow.
const longestGap = 100 * 365 * 24 * time.Hour

// SetRate changes the pace of the slots. Those that were given out stay, but the queue is as
// long as the same number of clients takes at the new pace: whoever comes after a slow spell
// does not wait for what it promised.
func (q *Queue) SetRate(now time.Duration, rate float64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	gap := time.Duration(min(float64(time.Second)/rate, float64(longestGap)))
	if ahead := q.due - now; ahead > 0 && q.pace.Gap > 0 {
		q.due = now + time.Duration(float64(ahead)/float64(q.pace.Gap)*float64(gap))
	}
	q.pace = Pace{Gap: gap, Burst: max(time.Second/2, 16*gap)}
}

// Ask takes the next slot and returns how long it is until then; zero admits at once. If
// that is longer than limit, it takes none and ok is false.
func (q *Queue) Ask(now, limit time.Duration) (wait time.Duration, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	next, wait := q.pace.Next(q.due, now)
	if wait > limit {
		return wait, false
	}
	q.due = next
	return wait, true
}

// Take takes the next slot for one who is let in at once, because his turn was found otherwise.
func (q *Queue) Take(now time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.due, _ = q.pace.Next(q.due, now)
}

// Ahead is how long whoever takes the next slot would wait for it.
func (q *Queue) Ahead(now time.Duration) time.Duration {
	q.mu.Lock()
	defer q.mu.Unlock()
	return max(0, q.due-now)
}
