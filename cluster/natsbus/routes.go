//go:build !nonats

package natsbus

import (
	"context"
	"slices"
	"time"
)

// peersNow are the names of the nodes with which there is a connection.
func (n *node) peersNow() (names []string) {
	all, err := n.server.Load().Routez(nil)
	if err != nil {
		return nil
	}
	for _, r := range all.Routes {
		names = append(names, r.RemoteName)
	}
	return names
}

func (n *node) nameTaken() <-chan error { return n.log.taken }

func (n *node) refused() []Refusal { return n.log.refusals.now() }

const (
	// lookTime is how often it is looked whether a route has gone, if nothing hints at it: the server tells nobody, but for
	// what it logs.
	lookTime = 2 * time.Second
	// afterHint is how long after a hint it is looked again, so many times: the server says that a route is closed before it is.
	afterHint = 5 * time.Millisecond
	hintLooks = 4
)

// follow tells who watches a node that there is no route to it any more, or that it is silent, and has this node heard.
func (n *node) follow(ctx context.Context) {
	due := time.Now()
	next := time.NewTimer(0)
	defer next.Stop()
	look, soon := due, 0 // when routes are looked at next, and how often again soon after
	for {
		hinted := false
		select {
		case <-ctx.Done():
			return
		case <-n.log.hint:
			soon, hinted = hintLooks, true
		case <-next.C:
		}
		now := time.Now()
		silent, until := n.beats.silent(now, now.Sub(due) > tardyTime)
		if hinted || !now.Before(look) {
			n.tellLost(n.without(silent))
			n.revive(ctx)
			look = now.Add(lookTime)
			if soon > 0 {
				soon--
				look = now.Add(afterHint)
			}
		} else if len(silent) > 0 {
			n.tellLost(func(node string) bool { return slices.Contains(silent, node) })
		}
		due = earliest(n.beats.beat(now), until, look)
		next.Reset(time.Until(due))
	}
}

func earliest(first time.Time, others ...time.Time) time.Time {
	for _, t := range others {
		if t.Before(first) {
			first = t
		}
	}
	return first
}

// without says of a node that it is silent, or that there is no route to it.
func (n *node) without(silent []string) (lost func(node string) bool) {
	present := n.peersNow()
	return func(node string) bool { return slices.Contains(silent, node) || !slices.Contains(present, node) }
}

// tellLost tells who watches a node that is lost.
func (n *node) tellLost(lost func(node string) bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for w := range n.watched {
		if lost(w.node) {
			n.unwatch(w)
			go w.lost()
		}
	}
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
