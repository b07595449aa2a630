package link

import (
	"slices"
	"strings"
	"time"
	"unique"
)

const (
	// maxAlternates bounds what servers can add to the configured endpoints. The newest
	// push out the oldest.
	maxAlternates = 8

	// maxPenalties is how many bad endpoints a link remembers. One that is forgotten
	// costs an attempt.
	maxPenalties = 4

	// penaltyTime is added for each fault, and the window: as long as the clients of a
	// dead node return, none of them tries it again. It decays by itself.
	penaltyTime = 2 * time.Minute
	maxPenalty  = 10 * time.Minute
)

// penalty marks an endpoint to be avoided until then.
type penalty struct {
	hash  uint32 // of the address; two that share one are avoided together
	until uint32 // seconds since the owner's origin; 0: unused
}

// pick chooses uniformly among the endpoints without a penalty; if there is none, it
// takes the one whose penalty ends first.
func (l *Link) pick(now time.Duration) string {
	free := 0
	var least string
	leastUntil := Never
	l.eachEndpoint(func(addr string) {
		until := l.penalisedUntil(addr)
		if until <= now {
			free++
		}
		if until < leastUntil {
			least, leastUntil = addr, until
		}
	})
	if free == 0 {
		return least
	}
	chosen := int(l.rng.below(time.Duration(free)))
	l.eachEndpoint(func(addr string) {
		if l.penalisedUntil(addr) <= now {
			if chosen == 0 {
				least = addr
			}
			chosen--
		}
	})
	return least
}

// First is the endpoint that a link of this configuration and seed dials first.
func (c *Config) First(seed uint64) string {
	r := rng(seed)
	return c.Endpoints[r.below(time.Duration(len(c.Endpoints)))]
}

// anyFree reports whether an endpoint has no penalty.
func (l *Link) anyFree(now time.Duration) bool {
	free := false
	l.eachEndpoint(func(addr string) { free = free || l.penalisedUntil(addr) <= now })
	return free
}

// alone reports whether no endpoint is known but that of the session.
func (l *Link) alone() bool {
	alone, own := true, l.current().addr.String()
	l.eachEndpoint(func(addr string) { alone = alone && addr == own })
	return alone
}

func (l *Link) eachEndpoint(visit func(addr string)) {
	for _, addr := range l.cfg.Endpoints {
		visit(addr)
	}
	for rest := l.alternates.String(); rest != ""; {
		var addr string
		addr, rest, _ = strings.Cut(rest, ",")
		visit(addr)
	}
}

func (l *Link) penalisedUntil(addr string) time.Duration {
	if l.penalties == nil {
		return 0 // as usual
	}
	hash := hashAddress(addr)
	for _, p := range l.penalties {
		if p.until != 0 && p.hash == hash {
			return time.Duration(p.until) * time.Second
		}
	}
	return 0
}

// penalise adds one fault to addr, forgetting the penalty that ends first if need be.
func (l *Link) penalise(now time.Duration, addr string) {
	hash := hashAddress(addr)
	if l.penalties == nil {
		l.penalties = new([maxPenalties]penalty)
	}
	slot := &l.penalties[0]
	for i := range l.penalties {
		p := &l.penalties[i]
		if p.until != 0 && p.hash == hash {
			slot = p
			break
		}
		if p.until < slot.until {
			slot = p
		}
	}
	from := now
	if slot.hash == hash {
		from = max(from, time.Duration(slot.until)*time.Second)
	}
	until := min(from+penaltyTime+l.terms.Window, now+maxPenalty)
	*slot = penalty{hash: hash, until: uint32(until / time.Second)}
}

// addAlternates puts the endpoints of a server's list, "host:port,host:port", before
// those that are known. What is no address is skipped.
func (l *Link) addAlternates(list []byte) {
	if len(list) == 0 || string(list) == l.alternates.String() {
		return
	}
	var merged []string
	add := func(list string) {
		for list != "" && len(merged) < maxAlternates {
			var addr string
			addr, list, _ = strings.Cut(list, ",")
			if validAddress(addr) && !slices.Contains(l.cfg.Endpoints, addr) && !slices.Contains(merged, addr) {
				merged = append(merged, addr)
			}
		}
	}
	add(string(list))
	add(l.alternates.String())
	l.alternates = intern([]byte(strings.Join(merged, ",")))
}

// hashAddress is 32-bit FNV-1a.
func hashAddress(s string) uint32 {
	h := uint32(2166136261)
	for i := range len(s) {
		h = (h ^ uint32(s[i])) * 16777619
	}
	return h
}

// interned is a string that all links share: the clients of a node all have the same
// node name and the same alternates.
type interned struct{ handle unique.Handle[string] }

func intern[S string | []byte](s S) interned { return interned{unique.Make(string(s))} }

func (i interned) String() string {
	if i == (interned{}) {
		return ""
	}
	return i.handle.Value()
}
