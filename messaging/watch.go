package messaging

import (
	"hash/maphash"
	"slices"
	"sync"

	"github.com/stormwheel/stormwheel/messaging/envelope"
	"github.com/stormwheel/stormwheel/server"
)

func watchersOf(user string) string     { return "w/u/" + user }
func watchersOfRoom(room string) string { return "w/r/" + room }

// watchers counts those of some groups, so that a login of whom nobody watches publishes nothing. Its
// lock may be taken with any other held.
type watchers struct {
	mu    sync.Mutex
	count map[string]int
}

func (h *Hub) watchersIn(group string) *watchers {
	return &h.watchers[maphash.String(h.seed, group)%shards]
}

func (w *watchers) add(group string, n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.count == nil {
		w.count = make(map[string]int)
	}
	if w.count[group] += n; w.count[group] == 0 {
		delete(w.count, group)
	}
}

func (w *watchers) any(group string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.count[group] > 0
}

// watch has a session be told who comes and goes. On its loop.
func (h *Hub) watch(s *server.Session, a *asked) error {
	d, e := a.d, &a.e
	group := watched(e)
	if !slices.Contains(d.watches, group) {
		if len(d.watches) >= h.cfg.MaxWatches {
			return refuseMany
		}
		if err := s.Join(group); err != nil {
			return refuseMany
		}
		d.watches = append(d.watches, group)
		h.watchersIn(group).add(group, 1)
	}
	if h.cfg.Peers != nil {
		waited := a.begin(h.since())
		if !h.looks(group, e, a, waited < gatherTime) {
			if waited < gatherTime {
				return errWaits
			}
			return refuseSilent // he might believe that nobody else is online
		}
	}
	if len(e.User) > 0 {
		for _, body := range h.sightings(string(e.User)) {
			if s.Deliver(body) != nil {
				return refuseBusy // taken would mean that nobody else is online
			}
		}
	}
	return nil
}

// unwatch ends a watch. On the session's loop.
func (h *Hub) unwatch(s *server.Session, d *device, e *envelope.Envelope) {
	group := watched(e)
	if i := slices.Index(d.watches, group); i >= 0 {
		_ = s.Leave(group)
		d.watches = slices.Delete(d.watches, i, i+1)
		h.watchersIn(group).add(group, -1)
		h.looksNoMore(group)
	}
}

// unwatchAll ends the watches of a session that has ended. On its loop.
func (h *Hub) unwatchAll(d *device) {
	for _, group := range d.watches {
		h.watchersIn(group).add(group, -1)
		h.looksNoMore(group)
	}
	d.watches = nil
}

func watched(e *envelope.Envelope) string {
	if len(e.Room) > 0 {
		return watchersOfRoom(string(e.Room))
	}
	return watchersOf(string(e.User))
}
