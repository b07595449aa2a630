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
	// lookTime is how often it is looked whether a route has gone, if nothing hints at it: the server tells nobody.
	lookTime = 500 * time.Millisecond
	// afterHint is how long after a hint it is looked again, so many times: the server says that a route is closed before it is.
	afterHint = 5 * time.Millisecond
	hintLooks = 4
)

// followRoutes tells who watches a node that there is no route to it any more.
func (n *node) followRoutes(ctx context.Context) {
	next := time.NewTimer(lookTime)
	defer next.Stop()
	for soon := 0; ; {
		select {
		case <-ctx.Done():
			return
		case <-n.log.hint:
			soon = hintLooks
		case <-next.C:
		}
		n.tellLost(n.peersNow())
		n.revive(ctx)
		if soon > 0 {
			soon--
			next.Reset(afterHint)
		} else {
			next.Reset(lookTime)
		}
	}
}

func (n *node) tellLost(present []string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for w := range n.watched {
		if !slices.Contains(present, w.node) {
			delete(n.watched, w)
			go w.lost()
		}
	}
}

func (n *node) watch(name string, lost func()) (stop func()) {
	w := &watched{node: name, lost: lost}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.watched[w] = true
	return func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		delete(n.watched, w)
	}
}
