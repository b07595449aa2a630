package messaging

import "time"

// A node that was itself asleep, which is stopped, suspended or starved, has heard nobody meanwhile: answers that have come
// wait to be read, and what the store was to have it was not asked. So a sleep is no part of the time that devices, the store
// and other nodes have for a message: it would be refused though nobody was late.

// pulse notices that the node was asleep. It is one goroutine's, which wants to run each tickTime at least.
type pulse struct{ last time.Duration }

// sleepTime is how late a goroutine may be before the node is taken to have been asleep.
const sleepTime = time.Second

// slept is for how long the node was asleep since it was asked last; 0: it was not.
func (p *pulse) slept(now time.Duration) time.Duration {
	late := now - p.last - tickTime
	if p.last = now; late < sleepTime {
		return 0
	}
	return late
}

// excuse gives the messages under way the time back that the node was asleep.
func (sh *shard) excuse(now, slept time.Duration) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	for _, l := range [...]*ageList{&sh.ages.fresh, &sh.ages.patient} {
		for e := l.oldest; e != nil; e = e.newer {
			e.at = min(e.at+slept, now)
		}
	}
	sh.recent.excuse(now, slept)
}

// excuse keeps the messages known that are under way.
func (r *recent) excuse(now, slept time.Duration) {
	for i := range r.order[r.head:] {
		if s := &r.order[r.head+i]; s.first != nil {
			s.at = min(s.at+slept, now)
		}
	}
}

// excuse gives what rooms are to say the time back that the node was asleep.
func (q *says) excuse(now, slept time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, s := range q.all {
		s.at = min(s.at+slept, now)
	}
}
