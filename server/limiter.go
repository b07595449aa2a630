package server

import (
	"hash/maphash"
	"net/netip"
	"sync"
	"time"
)

// limiter bounds what one key (an address, a client id) may do: sessions at a time, and
// handshakes a second. Its memory is bounded, which costs precision: when maxKeys keys
// are active at once, a newcomer is not limited. It guards against a few that do too
// much; against very many, the admission rate does. Any goroutine may use it.
type limiter[K comparable] struct {
	conns int           // sessions at once, 0: unlimited
	gap   time.Duration // between two handshakes, 0: unlimited
	burst time.Duration // unused handshakes that are kept, as time

	mu    sync.Mutex
	known map[K]use
	swept time.Duration

	sweepAt int // guarded by mu: how many known keys make it look for idle ones
}

const (
	maxKeys        = 1 << 16
	minKeys        = 1 << 10 // fewer are not looked through
	handshakeBurst = 10
	crowdedWait    = 10 * time.Second // what a client is told whose key has too many sessions
	tidyEvery      = 10 * time.Second
)

// use is what one key does; next is when its coming handshake is due, as in admission.
type use struct {
	conns int32
	next  time.Duration
}

func newLimiter[K comparable](conns int, rate float64) *limiter[K] {
	l := &limiter[K]{conns: max(0, conns), known: make(map[K]use)}
	if rate > 0 {
		l.gap = time.Duration(float64(time.Second) / rate)
		l.burst = handshakeBurst * l.gap
	}
	return l
}

func (l *limiter[K]) off() bool { return l.conns == 0 && l.gap == 0 }

// idle says that the key is like one never seen.
func (l *limiter[K]) idle(u use, now time.Duration) bool {
	return u.conns == 0 && u.next <= now-l.burst
}

// enter counts a handshake, and, if sessions are bounded, one that leave takes back. If the
// key has too much already, it counts nothing and says how long to wait.
func (l *limiter[K]) enter(now time.Duration, key K) (wait time.Duration, ok bool) {
	if l.off() {
		return 0, true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	u, found := l.known[key]
	if !found {
		if len(l.known) >= l.sweepAt {
			l.sweep(now)
		}
		if len(l.known) >= maxKeys {
			return 0, true
		}
		u.next = now - l.burst
	}
	if l.conns > 0 && int(u.conns) >= l.conns {
		return crowdedWait, false
	}
	if l.gap > 0 {
		u.next = max(u.next, now-l.burst)
		if u.next > now {
			return u.next - now, false
		}
		u.next += l.gap
	}
	if l.conns > 0 {
		u.conns++
	}
	l.known[key] = u
	return 0, true
}

// leave takes back a session that enter has counted.
func (l *limiter[K]) leave(now time.Duration, key K) {
	if l.off() {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	u, found := l.known[key]
	if !found {
		return
	}
	u.conns = max(0, u.conns-1)
	if l.idle(u, now) {
		delete(l.known, key)
		return
	}
	l.known[key] = u
}

// sweep forgets idle keys, at most once a second, so that the table is seldom larger than
// twice the keys that are active.
func (l *limiter[K]) sweep(now time.Duration) {
	if now-l.swept < time.Second {
		return
	}
	l.swept = now
	active := make(map[K]use) // a map that was emptied would keep its memory
	for key, u := range l.known {
		if !l.idle(u, now) {
			active[key] = u
		}
	}
	l.known = active
	l.sweepAt = min(max(2*len(l.known), minKeys), maxKeys)
}

// tidy sweeps now and then, so that a table that a crowd has filled is given back when the
// crowd is in. The ticker calls it.
func (l *limiter[K]) tidy(now time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.known) > 0 && now-l.swept >= tidyEvery {
		l.sweep(now)
	}
}

// addrKey is what counts as one address: an IPv6 host owns a /64.
func addrKey(addr netip.Addr) netip.Addr {
	addr = addr.Unmap()
	if addr.Is6() {
		if p, err := addr.WithZone("").Prefix(64); err == nil {
			return p.Addr()
		}
	}
	return addr
}

// idKey stands for a client id at an address. The seed is the process's own, so that
// nobody can choose ids that fall together.
func idKey(id []byte, addr netip.Addr) uint64 {
	var h maphash.Hash
	h.SetSeed(idSeed)
	_, _ = h.Write(id) // never fails
	b := addr.As16()
	_, _ = h.Write(b[:])
	return h.Sum64()
}

var idSeed = maphash.MakeSeed()
