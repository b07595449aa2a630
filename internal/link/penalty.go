package link

import (
	"cmp"
	"slices"
	"time"
)

const (
	// maxPenalties is how many bad destinations a link remembers. One that is forgotten
	// costs an attempt.
	maxPenalties = 32

	// penaltyTime is added for each fault, and the window: as long as the clients of a
	// dead node return, none of them tries it again. It decays by itself.
	penaltyTime = 2 * time.Minute
	maxPenalty  = 10 * time.Minute

	// pathPenalty is that of a destination to which no way leads: a try costs nothing but its
	// turn, so one is made now and then.
	pathPenalty = time.Minute
)

// standing is what a link thinks of a destination, which is an endpoint as it was given or one
// of the addresses of its name.
type standing uint8

const (
	free    standing = iota
	failed           // it was lost, did not answer, or sent the client elsewhere
	refused          // it answered with a code from 3500
	astray           // no way leads there
)

// standings is a set of them.
type standings uint8

func (s standings) has(one standing) bool         { return s&(1<<one) != 0 }
func (s standings) with(one standing) standings   { return s | 1<<one }
func (s standings) beyond(one standing) standings { return s &^ (1 << one) }

// penalty marks a destination to be avoided until then. After that it is remembered what it
// was for, until the room is needed.
type penalty struct {
	hash  uint32 // of the address; two that share one are avoided together
	until uint32 // seconds since the owner's origin
	why   standing
}

// penaltyOf is what is remembered of a destination, nil if that is nothing.
func (l *Link) penaltyOf(hash uint32) *penalty {
	if l.penalties == nil {
		return nil // as usual
	}
	for i := range *l.penalties {
		if p := &(*l.penalties)[i]; p.hash == hash {
			return p
		}
	}
	return nil
}

// standingOf is what to think of a destination now, and until when.
func (l *Link) standingOf(now time.Duration, hash uint32) (standing, time.Duration) {
	if p := l.penaltyOf(hash); p != nil {
		if until := time.Duration(p.until) * time.Second; until > now {
			return p.why, until
		}
	}
	return free, 0
}

func (l *Link) penalisedUntil(addr string) time.Duration {
	if p := l.penaltyOf(hashAddress(addr)); p != nil {
		return time.Duration(p.until) * time.Second
	}
	return 0
}

// penalise adds one fault to a destination, forgetting the penalty that ends first if need be.
func (l *Link) penalise(now time.Duration, hash uint32, why standing) {
	until := now + penaltyTime + l.terms.Window
	if p := l.penaltyOf(hash); p != nil {
		until = max(until, time.Duration(p.until)*time.Second+penaltyTime+l.terms.Window)
	}
	until = min(until, now+maxPenalty)
	if why == astray {
		until = now + pathPenalty
	}
	l.forget(func(p penalty) bool { return p.hash == hash })
	if l.penalties == nil {
		l.penalties = new([]penalty)
	}
	all := *l.penalties
	if len(all) == maxPenalties {
		first := slices.MinFunc(all, func(a, b penalty) int { return cmp.Compare(a.until, b.until) })
		l.forget(func(p penalty) bool { return p == first })
		all = *l.penalties
	}
	*l.penalties = append(all, penalty{hash: hash, until: uint32(until / time.Second), why: why})
}

func (l *Link) forget(which func(penalty) bool) {
	if l.penalties != nil {
		*l.penalties = slices.DeleteFunc(*l.penalties, which)
	}
}

// forgiveAstray forgets that no way led anywhere: the cause was here.
func (l *Link) forgiveAstray() {
	l.forget(func(p penalty) bool { return p.why == astray })
}

// hashAddress is 32-bit FNV-1a.
func hashAddress[S string | []byte](s S) uint32 {
	h := uint32(2166136261)
	for i := range len(s) {
		h = (h ^ uint32(s[i])) * 16777619
	}
	return h
}
