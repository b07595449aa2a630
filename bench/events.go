package bench

import (
	"fmt"

	"github.com/stormwheel/stormwheel/bench/result"
)

// What happens to a run is kept for its result, beside what is said of it while it runs.

// note keeps an event that begins now; over ends it, once. Any goroutine.
func (r *runner) note(kind result.EventKind, target, words string) (over func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	i := len(r.events)
	r.events = append(r.events, result.Event{T: r.Clients.Now().Seconds(), Kind: kind, Target: target, Name: words})
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		if e := &r.events[i]; e.Until == nil {
			e.Until = new(r.Clients.Now().Seconds())
		}
	}
}

// tellOfEnds notes the processes that have ended since it was called last: those of the load test, and
// those of targets, if they are known.
func (r *runner) tellOfEnds() {
	lost := r.Clients.Lost()
	for _, err := range lost[r.lost:] {
		r.note(result.EventWorkerLost, "", fmt.Sprintf("the load test: %v", err))
	}
	r.lost = len(lost)
	for _, s := range r.Servers.Ended() {
		name := s.Addr
		if s.Node != nil {
			name = *s.Node
		}
		r.tellEvent("the process of server %s has ended", name)
		r.note(result.EventDied, name, fmt.Sprintf("the process of server %s is found to have ended", name))
	}
}
