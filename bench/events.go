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

// tellOfLost notes the workers that have ended since it was called last.
func (r *runner) tellOfLost() {
	lost := r.Clients.Lost()
	for _, err := range lost[r.lost:] {
		r.note(result.EventWorkerLost, "", fmt.Sprintf("the load test: %v", err))
	}
	r.lost = len(lost)
}
