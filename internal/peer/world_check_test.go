package peer

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// check wants what holds of a cluster that is whole: all see each other, with all their sessions, each
// client has one, its latest, and homes are the same.
func (w *world) check(all map[string][]*login) {
	w.t.Helper()
	w.checkOne(all)
	for _, h := range w.hosts {
		for _, other := range w.hosts {
			if other == h {
				continue
			}
			view, there := h.views[other.name]
			if !there {
				w.t.Errorf("%s does not see %s", h.name, other.name)
				continue
			}
			for _, l := range other.sessions {
				if view[l.stamp] != l.id {
					w.t.Errorf("%s does not know that %s is at %s", h.name, l.id, other.name)
				}
			}
			if len(view) != len(other.sessions) {
				w.t.Errorf("%s knows of %d sessions at %s, which has %d", h.name, len(view), other.name, len(other.sessions))
			}
		}
		for i := range 20 {
			key := fmt.Sprint("key", i)
			if a, b := h.m.Members().Home(key), w.hosts[0].m.Members().Home(key); a != b {
				w.t.Errorf("%s is at home at %s for %s, at %s for %s", key, a, h.name, b, w.hosts[0].name)
			}
		}
		for _, p := range h.m.Peers(nil) {
			if p.Live && (p.Seen != p.Head || p.Listing) {
				w.t.Errorf("%s has seen %d of %d claims of %s, and lists %v", h.name, p.Seen, p.Head, p.Node, p.Listing)
			}
		}
		w.checkBounds(h)
	}
}

// checkOne wants each client to have one session at most, and that login not to have been ended which is later than all
// others. There may be none: a HELLO that was read late is before its process's, and after another's that came between.
func (w *world) checkOne(all map[string][]*login) {
	w.t.Helper()
	for _, id := range slices.Sorted(maps.Keys(all)) {
		open := 0
		for _, l := range all[id] {
			if !l.closed {
				open++
			}
			if l.ended && !slices.ContainsFunc(all[id], func(other *login) bool { return other.later(l) }) {
				w.t.Errorf("%s: the latest login, %x at %s, was ended with %v", id, l.stamp, l.h.name, l.code)
			}
		}
		if open > 1 {
			w.t.Errorf("%s has %d sessions", id, open)
		}
	}
}

// later says whether a login is after another, as docs/CLUSTER.md has it.
func (l *login) later(than *login) bool {
	switch {
	case l == than:
		return false
	case l.incarnation == than.incarnation && l.incarnation != 0 && l.attempt != than.attempt:
		return l.attempt > than.attempt
	case l.stamp != than.stamp:
		return l.stamp > than.stamp
	}
	return l.h.cfg.Epoch > than.h.cfg.Epoch
}

func (w *world) checkBounds(h *host) {
	w.t.Helper()
	if s := h.m.Stats(); s.LogBytes > h.m.cfg.LogBytes+sealBytes+maxRecord || s.Sessions != len(h.sessions) || s.Peers > h.m.cfg.MaxPeers {
		w.t.Errorf("%s: %+v, and %d sessions", h.name, s, len(h.sessions))
	}
	if h.m.Deadline() < w.now-time.Millisecond && w.now >= h.frozen {
		w.t.Errorf("%s waits since %v, and it is %v", h.name, h.m.Deadline(), w.now)
	}
}
