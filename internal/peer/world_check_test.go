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

// checkOne wants each client to have one session at most, and its latest login not to have been ended.
func (w *world) checkOne(all map[string][]*login) {
	w.t.Helper()
	for _, id := range slices.Sorted(maps.Keys(all)) {
		var last *login
		open := 0
		for _, l := range all[id] {
			if last == nil || l.stamp > last.stamp || l.stamp == last.stamp && l.h.cfg.Epoch > last.h.cfg.Epoch {
				last = l
			}
			if !l.closed {
				open++
			}
		}
		if open > 1 {
			w.t.Errorf("%s has %d sessions", id, open)
		}
		if last.ended {
			w.t.Errorf("%s: the latest login, %x at %s, was ended with %v", id, last.stamp, last.h.name, last.code)
		}
	}
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
