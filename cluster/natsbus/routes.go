//go:build !nonats

package natsbus

import (
	"context"
	"slices"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/stormwheel/stormwheel/internal/pulse"
)

// routesNow are the connections with other nodes.
func (n *node) routesNow() []*server.RouteInfo {
	all, err := n.server.Load().Routez(nil)
	if err != nil {
		return nil
	}
	return all.Routes
}

func (n *node) nameTaken() <-chan error { return n.log.taken }

func (n *node) refused() []Refusal { return n.log.refusals.now() }

const (
	// afterHint is how long after a hint it is looked again, so many times: the server says that a route is closed before it is.
	afterHint = 5 * time.Millisecond
	hintLooks = 4
	// lastWords is how long what has come may take until it is read.
	lastWords = 10 * time.Millisecond
	// early has the follower look first at what a pulse brings, so that it is behind who speaks then: of two that become ready
	// at once the runtime has the latter go first.
	early = time.Microsecond
)

// follow tells who watches a node that there is no route to it any more, or that it is silent, and has this node heard.
func (n *node) follow(ctx context.Context) {
	now := n.beats.now()
	due, pulses, soon := now, now, 0 // when it is to look again, the next pulse, and how often again soon
	next := time.NewTimer(0)
	defer next.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-n.log.hint:
			soon = hintLooks
		case <-next.C:
		}
		now = n.beats.now()
		until := n.lookAtRoutes(ctx, now, now-due > tardyTime)
		if now+pulse.Time/2 >= pulses {
			n.beats.beat(now)
			pulses = pulse.Next(now+pulse.Time/2) - early
		}
		due = min(until, pulses)
		if soon > 0 {
			soon--
			due = min(due, now+afterHint)
		}
		next.Reset(due - n.beats.now())
	}
}

// lookAtRoutes tells who watches a node that is lost, and returns when the next may be.
func (n *node) lookAtRoutes(ctx context.Context, now time.Duration, asleep bool) (until time.Duration) {
	routes := n.routesNow()
	n.beats.look(now, routes)
	silent, until := n.beats.silent(now, asleep)
	n.tellLost(n.parted, func(node string) bool {
		return !slices.ContainsFunc(routes, func(r *server.RouteInfo) bool { return r.RemoteName == node })
	})
	n.tellLost((*watched).tell, func(node string) bool { return slices.Contains(silent, node) })
	n.revive(ctx)
	return until
}

// tellLost has who watches a node that is lost be told.
func (n *node) tellLost(tell func(*watched), lost func(node string) bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for w := range n.watched {
		if lost(w.node) {
			n.unwatch(w)
			go tell(w)
		}
	}
}

func (w *watched) tell() { w.lost() }

// parted tells of a node whose connection has ended, behind what it has said last: one that leaves says so, and is
// not to be taken for dead because its connection ends before that was read.
func (n *node) parted(w *watched) {
	_ = n.beats.conn.FlushTimeout(2 * lastWords) // then all that the server had is on its way to the subscriptions
	time.Sleep(lastWords)
	w.tell()
}

func (n *node) watch(name string, lost func()) (stop func()) {
	w := &watched{node: name, lost: lost}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.watched[w] = true
	n.beats.watch(name)
	n.log.look() // its route may be gone already
	return func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.unwatch(w)
	}
}

// unwatch forgets w. With the lock held.
func (n *node) unwatch(w *watched) {
	delete(n.watched, w)
	for other := range n.watched {
		if other.node == w.node {
			return
		}
	}
	n.beats.forget(w.node)
}
