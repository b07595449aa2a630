package server

import (
	"testing"
	"time"
)

// A node meets more ids in its life than the table holds: those that are idle make room,
// and a newcomer is limited like the first.
func TestLimiterForgetsIdleKeysAndGoesOnLimiting(t *testing.T) {
	for name, conns := range map[string]int{"rate only": 0, "rate and sessions": 5} {
		l := newLimiter[uint64](conns, 1)
		now := time.Duration(0)
		for key := range uint64(3 * maxKeys) {
			now += time.Millisecond
			if _, ok := l.enter(now, key); !ok {
				t.Fatalf("%s: the first handshake of %d is refused", name, key)
			}
			if conns > 0 { // nobody tells a table that counts no sessions when one ends
				l.leave(now, key)
			}
			if active := 2 * 1000; len(l.known) > 2*active { // a key is idle after a second, and looked at within another
				t.Fatalf("%s: %d keys are known, %d are active", name, len(l.known), active)
			}
		}
		in := 0
		for range 3 * handshakeBurst {
			if _, ok := l.enter(now, 1<<40); ok {
				in++
			}
		}
		if in > handshakeBurst+1 || in == 0 {
			t.Errorf("%s: after %d idle keys a newcomer has %d handshakes at once, want %d", name, 3*maxKeys, in, handshakeBurst)
		}
	}
}

// The table of ids is asked at every HELLO and never told of an end.
func TestIDsThatLeaveAreForgotten(t *testing.T) {
	n := newNode(t, Config{IDRate: 1})
	slot, _ := n.join()
	n.r.closed(slot, ReasonPeerClosed)
	ids := n.r.shared.ids
	n.run(time.Minute)
	if ids.sweep(n.now); len(ids.known) != 0 {
		t.Errorf("%d ids are known a minute after the only client has left", len(ids.known))
	}
}

// Once a crowd is in, nothing is kept of it.
func TestTidyGivesBackWhatIsIdle(t *testing.T) {
	l := newLimiter[int](0, 1)
	for i := range 1000 {
		l.enter(0, i)
	}
	l.tidy(2 * time.Second)
	if len(l.known) != 1000 {
		t.Fatalf("%d keys right after, want all: nobody waits for a sweep every tick", len(l.known))
	}
	l.tidy(tidyEvery)
	if len(l.known) != 0 {
		t.Fatalf("%d keys are kept, want none", len(l.known))
	}
	for range handshakeBurst {
		l.enter(2*tidyEvery, -1)
	}
	l.tidy(2 * tidyEvery)
	if len(l.known) != 1 {
		t.Fatalf("%d keys are kept, want the one that is active", len(l.known))
	}
}
