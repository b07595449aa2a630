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
			l.leave(key)
			l.tidy(now)
			if most := (time.Second + tidyEvery) / time.Millisecond; len(l.due) > int(most) || len(l.held) > 0 {
				t.Fatalf("%s: %d keys are known, want the %d of the last seconds; %d have sessions", name, len(l.due), most, len(l.held))
			}
		}
		in := 0
		for range 3 * handshakeBurst {
			if _, ok := l.enter(now, 1<<40); ok {
				l.leave(1 << 40)
				in++
			}
		}
		if in > handshakeBurst+1 || in == 0 {
			t.Errorf("%s: after %d idle keys a newcomer has %d handshakes at once, want %d", name, 3*maxKeys, in, handshakeBurst)
		}
	}
}

// More keys at once than the table holds: it does not grow, those who did most stay known,
// and a newcomer is limited.
func TestAFullTableOfRatesForgetsWhoDidLeast(t *testing.T) {
	l := newLimiter[int](0, 0.2)
	abuse := func(key int) (in int) {
		for range 3 * handshakeBurst {
			if _, ok := l.enter(0, key); ok {
				in++
			}
		}
		return in
	}
	const abusers = 100
	for key := range abusers {
		abuse(-1 - key)
	}
	for key := range 2 * maxKeys {
		if _, ok := l.enter(0, key); !ok {
			t.Fatalf("the first handshake of %d is refused", key)
		}
	}
	if len(l.due) > maxKeys {
		t.Errorf("%d keys are known, want %d at most", len(l.due), maxKeys)
	}
	for key := range abusers {
		if in := abuse(-1 - key); in > 0 {
			t.Errorf("abuser %d was forgotten and has %d more", key, in)
		}
	}
	if in := abuse(1 << 30); in != handshakeBurst+1 {
		t.Errorf("a newcomer has %d handshakes at once, want %d", in, handshakeBurst+1)
	}
}

// However many addresses have sessions, each is held to its bound.
func TestSessionsAreCountedForEveryKey(t *testing.T) {
	const keys = maxKeys + 1000
	l := newLimiter[int](1, 0.2)
	for key := range keys {
		if _, ok := l.enter(0, key); !ok {
			t.Fatalf("key %d is refused its only session", key)
		}
	}
	for key := range keys {
		if _, ok := l.enter(time.Hour, key); ok {
			t.Fatalf("key %d of %d has a second session", key, keys)
		}
	}
	for key := range keys {
		l.leave(key)
	}
	if l.tidy(time.Hour); len(l.held)+len(l.due) != 0 {
		t.Errorf("%d and %d keys are kept after all have left", len(l.held), len(l.due))
	}
}

// The table of ids is asked at every HELLO and never told of an end.
func TestIDsThatLeaveAreForgotten(t *testing.T) {
	n := newNode(t, Config{IDRate: 1})
	slot, _ := n.join()
	n.r.closed(slot, ReasonPeerClosed)
	ids := n.r.shared.ids
	n.run(time.Minute)
	if ids.tidy(n.now); len(ids.due) != 0 {
		t.Errorf("%d ids are known a minute after the only client has left", len(ids.due))
	}
}

// Once a crowd is in, nothing is kept of it.
func TestTidyGivesBackWhatIsIdle(t *testing.T) {
	l := newLimiter[int](0, 1)
	for i := range 1000 {
		l.enter(0, i)
	}
	l.tidy(tidyEvery - time.Millisecond)
	if len(l.due) != 1000 {
		t.Fatalf("%d keys right after, want all: nobody waits for a sweep every tick", len(l.due))
	}
	l.tidy(tidyEvery)
	if len(l.due) != 0 {
		t.Fatalf("%d keys are kept, want none", len(l.due))
	}
	for range handshakeBurst {
		l.enter(2*tidyEvery, -1)
	}
	l.tidy(2 * tidyEvery)
	if len(l.due) != 1 {
		t.Fatalf("%d keys are kept, want the one that is active", len(l.due))
	}
}

// What a crowd that comes at the admission rate costs the ticker, and with it every HELLO
// that waits for the table meanwhile.
func BenchmarkTidy(b *testing.B) {
	for name, keys := range map[string]int{"10000 active": 10_000, "full": maxKeys} {
		b.Run(name, func(b *testing.B) {
			l := newLimiter[uint64](0, 0.2)
			for key := range uint64(keys) {
				l.enter(0, key*0x9e3779b97f4a7c15)
			}
			for now := time.Second; b.Loop(); {
				l.swept = now - tidyEvery
				l.tidy(now)
			}
		})
	}
}

func BenchmarkEnterAFullTable(b *testing.B) {
	l := newLimiter[uint64](0, 0.2)
	key := uint64(0)
	for ; key < maxKeys; key++ {
		l.enter(0, key*0x9e3779b97f4a7c15)
	}
	for b.Loop() {
		key++
		l.enter(0, key*0x9e3779b97f4a7c15)
	}
}
