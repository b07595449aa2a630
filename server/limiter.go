package server

import (
	"hash/maphash"
	"net/netip"
	"sync"
	"time"
)

// limiter bounds what one key (an address, a client id) may do: sessions at a time, and
// handshakes a second. Its memory is bounded: sessions are counted for as many keys as have
// any, which are no more than the node has connections, and handshakes for maxKeys. When
// more come within seconds, those that have been quiet for longest are forgotten, which
// gives back to each no more than its burst. Any goroutine may use it.
type limiter[K comparable] struct {
	conns int           // sessions at once, 0: unlimited
	gap   time.Duration // between two handshakes, 0: unlimited
	burst time.Duration // unused handshakes that are kept, as time

	mu    sync.Mutex
	held  map[K]int32         // sessions of a key
	due   map[K]time.Duration // when the coming handshake of a key is due, as in admission
	swept time.Duration
}

const (
	maxKeys        = 1 << 16
	handshakeBurst = 10
	crowdedWait    = 10 * time.Second // what a client is told whose key has too many sessions
	tidyEvery      = 2 * time.Second
	evictOf        = 8 // keys are compared when one must go
)

func newLimiter[K comparable](conns int, rate float64) *limiter[K] {
	l := &limiter[K]{conns: max(0, conns), held: make(map[K]int32), due: make(map[K]time.Duration)}
	if rate > 0 {
		l.gap = time.Duration(float64(time.Second) / rate)
		l.burst = handshakeBurst * l.gap
	}
	return l
}

func (l *limiter[K]) off() bool { return l.conns == 0 && l.gap == 0 }

// look says whether enter would let the key pass, and counts nothing.
func (l *limiter[K]) look(now time.Duration, key K) (wait time.Duration, ok bool) {
	if l.off() {
		return 0, true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	wait = l.wait(now, key)
	return wait, wait == 0
}

// enter counts a handshake, and, if sessions are bounded, one that leave takes back. If the
// key has too much already, it counts nothing and says how long to wait.
func (l *limiter[K]) enter(now time.Duration, key K) (wait time.Duration, ok bool) {
	if l.off() {
		return 0, true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if wait = l.wait(now, key); wait > 0 {
		return wait, false
	}
	if l.conns > 0 {
		l.held[key]++
	}
	if l.gap > 0 {
		due, found := l.due[key]
		if !found {
			due = now - l.burst
			if len(l.due) >= maxKeys {
				l.evict()
			}
		}
		l.due[key] = max(due, now-l.burst) + l.gap
	}
	return 0, true
}

// wait is how long until the key may pass; mu is held.
func (l *limiter[K]) wait(now time.Duration, key K) time.Duration {
	if l.conns > 0 && int(l.held[key]) >= l.conns {
		return crowdedWait
	}
	if due, found := l.due[key]; found {
		return max(0, due-now)
	}
	return 0
}

// leave takes back a session that enter has counted.
func (l *limiter[K]) leave(key K) {
	if l.conns == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if n := l.held[key]; n > 1 {
		l.held[key] = n - 1
	} else {
		delete(l.held, key)
	}
}

// evict forgets the key that has done least lately, of a few taken at random: that is cheap,
// and whoever is near its limit stays known. (Redis finds its least recently used keys so.)
func (l *limiter[K]) evict() {
	var least K
	due, seen := time.Duration(0), 0
	for key, d := range l.due { // Go begins at a random one
		if seen == 0 || d < due {
			least, due = key, d
		}
		if seen++; seen == evictOf {
			break
		}
	}
	delete(l.due, least)
}

// tidy forgets the keys whose burst is whole again, as if they were never seen: a crowd is
// in, and nothing is kept of it. The ticker calls it.
func (l *limiter[K]) tidy(now time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.due) == 0 || now-l.swept < tidyEvery {
		return
	}
	l.swept = now
	active := make(map[K]time.Duration) // a map that was emptied would keep its memory
	for key, due := range l.due {
		if due > now-l.burst {
			active[key] = due
		}
	}
	l.due = active
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
