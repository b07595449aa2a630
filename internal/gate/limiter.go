package gate

import (
	"encoding/binary"
	"io"
	"math/rand/v2"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// Limiter bounds what one key (an address, a client id) may do: sessions at a time, and
// handshakes a second. Its memory is bounded: sessions are counted for as many keys as have
// any, which are no more than the node has connections, and handshakes for maxKeys. When
// more come within seconds, those that have been quiet for longest are forgotten, which
// gives back to each no more than its burst. Any goroutine may use it.
type Limiter[K comparable] struct {
	on atomic.Bool // there is a bound

	mu    sync.Mutex
	conns int         // sessions at once, 0: unlimited
	pace  Pace        // of handshakes; a Gap of 0: unlimited
	held  map[K]int32 // sessions of a key
	at    map[K]int32 // where in rows a key is
	rows  []row[K]    // apart from the map, so that a random one is found
	rand  *rand.Rand
	swept time.Duration
}

// row is when the coming handshake of a key is due.
type row[K comparable] struct {
	key K
	due time.Duration
}

const (
	maxKeys        = 1 << 16
	handshakeBurst = 10
	crowdedWait    = 10 * time.Second // what a client is told whose key has too many sessions
	tidyEvery      = 2 * time.Second
	evictOf        = 8 // keys are compared when one must go
)

// NewLimiter bounds a key to conns sessions at once and rate handshakes a second, eleven at
// once; zero or less is no bound. What it forgets, it chooses with randomness of seed, which
// must not fail.
func NewLimiter[K comparable](conns int, rate float64, seed io.Reader) *Limiter[K] {
	l := &Limiter[K]{held: make(map[K]int32), at: make(map[K]int32)}
	l.SetBounds(0, conns, rate)
	words := randomBytes(seed, 16)
	l.rand = rand.New(rand.NewPCG(binary.BigEndian.Uint64(words), binary.BigEndian.Uint64(words[8:])))
	return l
}

// SetBounds changes the bounds. Sessions count that come while they are bounded: who came before is
// not known, and who was counted stays so. Nobody waits longer than the new rate asks for.
func (l *Limiter[K]) SetBounds(now time.Duration, conns int, rate float64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conns, l.pace = max(0, conns), Pace{}
	if rate > 0 {
		gap := time.Duration(min(float64(time.Second)/rate, float64(longestGap/handshakeBurst)))
		l.pace = Pace{Gap: gap, Burst: handshakeBurst * gap}
	}
	for i := range l.rows {
		l.rows[i].due = min(l.rows[i].due, now+l.pace.Gap)
	}
	l.on.Store(l.conns > 0 || l.pace.Gap > 0)
}

// Look says whether Enter would let the key pass, and counts nothing.
func (l *Limiter[K]) Look(now time.Duration, key K) (wait time.Duration, ok bool) {
	if !l.on.Load() {
		return 0, true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	wait = l.wait(now, key)
	return wait, wait == 0
}

// Enter counts a handshake. If the key has too much already, it counts nothing and says how long to
// wait.
func (l *Limiter[K]) Enter(now time.Duration, key K) (wait time.Duration, ok bool) {
	wait, _, ok = l.Hold(now, key)
	return wait, ok
}

// Hold is Enter for a handshake that makes a session. held says that this is counted, as it is while
// sessions are bounded, and that Leave is to be called when it ends.
func (l *Limiter[K]) Hold(now time.Duration, key K) (wait time.Duration, held, ok bool) {
	if !l.on.Load() {
		return 0, false, true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if wait = l.wait(now, key); wait > 0 {
		return wait, false, false
	}
	if held = l.conns > 0; held {
		l.held[key]++
	}
	if l.pace.Gap > 0 {
		r := l.row(now, key)
		r.due, _ = l.pace.Next(r.due, now)
	}
	return 0, held, true
}

// wait is how long until the key may pass; mu is held.
func (l *Limiter[K]) wait(now time.Duration, key K) time.Duration {
	if l.conns > 0 && int(l.held[key]) >= l.conns {
		return crowdedWait
	}
	if at, found := l.at[key]; found && l.pace.Gap > 0 {
		_, wait := l.pace.Next(l.rows[at].due, now)
		return wait
	}
	return 0
}

// row is that of a key, which begins with its whole burst; mu is held.
func (l *Limiter[K]) row(now time.Duration, key K) *row[K] {
	at, found := l.at[key]
	if !found {
		if len(l.rows) >= maxKeys {
			l.evict()
		}
		at = int32(len(l.rows))
		l.at[key] = at
		l.rows = append(l.rows, row[K]{key, now - l.pace.Burst})
	}
	return &l.rows[at]
}

// Leave takes back a session that is held.
func (l *Limiter[K]) Leave(key K) {
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
func (l *Limiter[K]) evict() {
	least := l.rand.IntN(len(l.rows))
	for range evictOf - 1 {
		if i := l.rand.IntN(len(l.rows)); l.rows[i].due < l.rows[least].due {
			least = i
		}
	}
	last := len(l.rows) - 1
	delete(l.at, l.rows[least].key)
	if least != last {
		l.rows[least] = l.rows[last]
		l.at[l.rows[least].key] = int32(least)
	}
	l.rows = l.rows[:last]
}

// Tidy forgets the keys whose burst is whole again, as if they were never seen: a crowd is
// in, and nothing is kept of it. It is to be called about once a tick.
func (l *Limiter[K]) Tidy(now time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.rows) == 0 || now-l.swept < tidyEvery {
		return
	}
	l.swept = now
	active := 0
	for _, r := range l.rows {
		if r.due > now-l.pace.Burst {
			active++
		}
	}
	if active == len(l.rows) {
		return
	}
	at, rows := make(map[K]int32, active), make([]row[K], 0, active) // a map that was emptied would keep its memory
	for _, r := range l.rows {
		if r.due > now-l.pace.Burst {
			at[r.key] = int32(len(rows))
			rows = append(rows, r)
		}
	}
	l.at, l.rows = at, rows
}

// Len is how many keys it keeps something of.
func (l *Limiter[K]) Len() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.held) + len(l.rows)
}

// AddrKey is what counts as one address: an IPv6 host owns a /64.
func AddrKey(addr netip.Addr) netip.Addr {
	addr = addr.Unmap()
	if addr.Is6() {
		if p, err := addr.WithZone("").Prefix(64); err == nil {
			return p.Addr()
		}
	}
	return addr
}
