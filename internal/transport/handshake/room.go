package handshake

import (
	"container/list"
	"net/netip"
	"sync"
	"time"
)

const (
	maxWaiting      = 1000
	maxWaitingBytes = 32 << 20
	addressShare    = 8 // of both, for one address, while half is taken: many clients share one behind a NAT

	handshakeBytes = 28 << 10 // what one costs beside the records that it keeps

	// answerTime is what every peer has for its answer, before its handshake is given up for another
	// one: to give up what is about to end would waste what it has cost. Where those who end well need long, as
	// on a network or a machine that has too much to do, it is twice what they need, up to longestAnswer:
	// else all of them would be given up, one for the other.
	answerTime    = time.Second
	longestAnswer = 4 * time.Second
)

// waitingRoom is what a handshake has in the room.
type waitingRoom struct {
	place *list.Element // nil: it does not wait
	bytes int
	since time.Time
}

// room holds the handshakes that wait for their peers, the one without progress for longest first.
// Any goroutine may use it.
type room struct {
	max, maxBytes int

	mu      sync.Mutex
	waiting list.List              // guarded by mu, and what the handshakes have in it
	bytes   int                    // guarded by mu
	answers time.Duration          // guarded by mu: what those needed for their answers who ended well, smoothed
	from    map[netip.Addr]*origin // guarded by mu
}

// origin is what waits from one address.
type origin struct{ n, bytes int }

// originOf is what counts as one address: an IPv6 host owns a /64, as to package gate.
func originOf(addr netip.Addr) netip.Addr {
	addr = addr.Unmap()
	if addr.Is6() {
		if p, err := addr.WithZone("").Prefix(64); err == nil {
			return p.Addr()
		}
	}
	return addr
}

// mayBegin says whether there is room for one more handshake, or somebody who has had his time.
func (r *room) mayBegin(now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.waiting.Len() < r.max && r.bytes+handshakeBytes <= r.maxBytes {
		return true
	}
	return now.Sub(r.waiting.Front().Value.(*handshake).since) >= r.answerTime()
}

// answerTime is that of now. It needs mu.
func (r *room) answerTime() time.Duration { return min(max(answerTime, 2*r.answers), longestAnswer) }

// answered is told how long a handshake has waited that has ended well.
func (r *room) answered(waited time.Duration) {
	const weight = 32 // some dozens of them, which a few that are slow on purpose do not change
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answers += (waited - r.answers) / weight
}

// enter has a handshake wait for its peer from now on, and gives those up that are too many.
func (r *room) enter(h *handshake, records int, now time.Time) (givenUp int) {
	var out []*handshake
	r.mu.Lock()
	if r.from == nil {
		r.from = make(map[netip.Addr]*origin)
	}
	h.place, h.bytes, h.since = r.waiting.PushBack(h), handshakeBytes+records, now
	o := r.from[h.addr]
	if o == nil {
		o = new(origin)
		r.from[h.addr] = o
	}
	o.n, o.bytes, r.bytes = o.n+1, o.bytes+h.bytes, r.bytes+h.bytes
	for h.addr.IsValid() && r.halfTaken() && (o.n > r.max/addressShare || o.bytes > r.maxBytes/addressShare) {
		old := r.oldest(h.addr)
		if now.Sub(old.since) < r.answerTime() {
			break
		}
		r.remove(old)
		out = append(out, old)
	}
	for r.waiting.Len() > r.max || r.bytes > r.maxBytes {
		old := r.oldest(netip.Addr{})
		r.remove(old)
		out = append(out, old)
	}
	r.mu.Unlock()
	for _, h := range out {
		h.abandon()
	}
	return len(out)
}

func (r *room) halfTaken() bool { return r.waiting.Len() > r.max/2 || r.bytes > r.maxBytes/2 }

// oldest is that of an address, or of all.
func (r *room) oldest(from netip.Addr) *handshake {
	for e := r.waiting.Front(); ; e = e.Next() {
		if h := e.Value.(*handshake); !from.IsValid() || h.addr == from {
			return h
		}
	}
}

// leave takes a handshake out that goes on or ends. It may have left.
func (r *room) leave(h *handshake) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.remove(h)
}

func (r *room) remove(h *handshake) {
	if h.place == nil {
		return
	}
	r.waiting.Remove(h.place)
	h.place = nil
	r.bytes -= h.bytes
	o := r.from[h.addr]
	o.n, o.bytes = o.n-1, o.bytes-h.bytes
	if o.n == 0 {
		delete(r.from, h.addr)
	}
}

func (r *room) len() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.waiting.Len()
}
