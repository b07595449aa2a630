package link

import (
	"slices"
	"strings"
	"time"
	"unique"
)

// maxAlternates bounds what servers can add to the configured endpoints. The newest push
// out the oldest.
const maxAlternates = 8

// pick chooses uniformly among the endpoints without a penalty. If there is none, it takes the
// one whose penalty ends first, and one to which no way leads only if there is no other. Where
// the client had its latest session is worth a try between those that do not answer at all:
// they may be of a network that it is not in.
func (l *Link) pick(now time.Duration) string {
	count, back := 0, ""
	var least string
	var leastRank time.Duration
	l.eachEndpoint(func(addr string) {
		why, until := l.standingOf(now, hashAddress(addr))
		if why == free {
			count++
		}
		if why == failed && l.retry.unheard && l.current().attempt == 0 && hashAddress(addr) == l.retry.home {
			back = addr
		}
		if r := rank(why, until); least == "" || r < leastRank {
			least, leastRank = addr, r
		}
	})
	if back != "" {
		return back
	}
	if count == 0 {
		return least
	}
	chosen := int(l.rng.below(time.Duration(count)))
	l.eachEndpoint(func(addr string) {
		if why, _ := l.standingOf(now, hashAddress(addr)); why == free {
			if chosen == 0 {
				least = addr
			}
			chosen--
		}
	})
	return least
}

// rank orders destinations that are avoided: the lesser evil first.
func rank(why standing, until time.Duration) time.Duration {
	if why == astray {
		return Never/2 + until
	}
	return until
}

// First is the endpoint that a link of this configuration and seed dials first.
func (c *Config) First(seed uint64) string {
	r := rng(seed)
	return c.Endpoints[r.below(time.Duration(len(c.Endpoints)))]
}

// anyFree reports whether an endpoint has no penalty.
func (l *Link) anyFree(now time.Duration) bool {
	return l.anyEndpoint(func(addr string) bool {
		why, _ := l.standingOf(now, hashAddress(addr))
		return why == free
	})
}

// alone reports whether no way leads to an endpoint but that of the session.
func (l *Link) alone(now time.Duration) bool {
	own := l.current()
	return !l.others(now, own).has(free) && !l.anyEndpoint(func(addr string) bool {
		why, _ := l.standingOf(now, hashAddress(addr))
		return addr != own.addr.String() && why != astray
	})
}

// allAstray reports whether no way leads anywhere.
func (l *Link) allAstray(now time.Duration) bool {
	return !l.anyEndpoint(func(addr string) bool {
		why, _ := l.standingOf(now, hashAddress(addr))
		return why != astray
	})
}

// allRefused reports whether the latest answer of every endpoint that answers at all was a code
// from 3500. One whose penalty was over before the present outage began does not count: it may
// be mended.
func (l *Link) allRefused() bool {
	return !l.anyEndpoint(func(addr string) bool {
		p := l.penaltyOf(hashAddress(addr))
		return p == nil || p.why == failed || p.why == refused && p.until <= l.retry.outage
	})
}

func (l *Link) anyEndpoint(is func(addr string) bool) bool {
	found := false
	l.eachEndpoint(func(addr string) { found = found || is(addr) })
	return found
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

// addAlternates puts the endpoints of a server's list, "host:port,host:port", before
// those that are known. What is no address is skipped.
func (l *Link) addAlternates(list []byte) {
	if l.cfg.IgnoreAlternates || len(list) == 0 || string(list) == l.alternates.String() {
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
