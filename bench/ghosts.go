package bench

import (
	"context"
	"time"
)

// ghostPatience is how long nodes may take to notice the ends of connections that were
// closed by the book.
const ghostPatience = 5 * time.Second

// ghosts is how many connections the spawned nodes hold beyond the clients' sessions. It is
// unknown if one of those that live does not say.
func (r *runner) ghosts(ctx context.Context) (n int, known bool) {
	if len(r.nodes) == 0 {
		return 0, false
	}
	r.sampleServers(ctx)
	return r.countGhosts(r.fleet.Ready())
}

// countGhosts takes the nodes' word as of the latest sample.
func (r *runner) countGhosts(sessions int) (n int, known bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.servers {
		switch {
		case s.Killed:
		case s.Conns == nil:
			return 0, false
		default:
			n += *s.Conns
		}
	}
	return n - sessions, len(r.nodes) > 0
}

// noGhosts reports since when the nodes hold nothing but sessions, and whether that is sure.
// A node tells of its last tick: while clients come back it lacks some of them, and as many
// ghosts do not show. So none must be seen for two ticks.
func (r *runner) noGhosts(ctx context.Context) (since time.Duration, sure bool) {
	n, known := r.ghosts(ctx)
	if !known || n > 0 {
		r.ghostless = nil
		return 0, false
	}
	now := r.fleet.Now()
	if r.ghostless == nil {
		r.ghostless = &now
	}
	return *r.ghostless, now-*r.ghostless > 2*r.plan.Tick
}

// exorcise waits until the nodes hold nothing but sessions, at most for bound.
func (r *runner) exorcise(ctx context.Context, bound time.Duration) error {
	if len(r.nodes) == 0 {
		return nil
	}
	r.ghostless = nil
	all, err := r.until(ctx, bound, func() bool {
		_, sure := r.noGhosts(ctx)
		return sure
	})
	if n, known := r.ghosts(ctx); err == nil && !all && known && n > 0 {
		r.say("the nodes still hold %d connections that nobody has", n)
	}
	return err
}
