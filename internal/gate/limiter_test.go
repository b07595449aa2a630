package gate

import (
	"crypto/rand"
	"net/netip"
	"testing"
	"time"
)

// A node meets more ids in its life than the table holds: those that are idle make room,
// and a newcomer is limited like the first.
func TestLimiterForgetsIdleKeysAndGoesOnLimiting(t *testing.T) {
	for name, conns := range map[string]int{"rate only": 0, "rate and sessions": 5} {
		l := NewLimiter[uint64](conns, 1, rand.Reader)
		now := time.Duration(0)
		for key := range uint64(3 * maxKeys) {
			now += time.Millisecond
			if _, ok := l.Enter(now, key); !ok {
				t.Fatalf("%s: the first handshake of %d is refused", name, key)
			}
			l.Leave(key)
			l.Tidy(now)
			if most := (time.Second + tidyEvery) / time.Millisecond; len(l.rows) > int(most) || len(l.held) > 0 {
				t.Fatalf("%s: %d keys are known, want the %d of the last seconds; %d have sessions", name, len(l.rows), most, len(l.held))
			}
		}
		in := 0
		for range 3 * handshakeBurst {
			if _, ok := l.Enter(now, 1<<40); ok {
				l.Leave(1 << 40)
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
	l := NewLimiter[int](0, 0.2, rand.Reader)
	abuse := func(key int) (in int) {
		for range 3 * handshakeBurst {
			if _, ok := l.Enter(0, key); ok {
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
		if _, ok := l.Enter(0, key); !ok {
			t.Fatalf("the first handshake of %d is refused", key)
		}
	}
	if len(l.rows) > maxKeys {
		t.Errorf("%d keys are known, want %d at most", len(l.rows), maxKeys)
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
	l := NewLimiter[int](1, 0.2, rand.Reader)
	for key := range keys {
		if _, ok := l.Enter(0, key); !ok {
			t.Fatalf("key %d is refused its only session", key)
		}
	}
	for key := range keys {
		if _, ok := l.Enter(time.Hour, key); ok {
			t.Fatalf("key %d of %d has a second session", key, keys)
		}
	}
	for key := range keys {
		l.Leave(key)
	}
	if l.Tidy(time.Hour); len(l.held)+len(l.rows) != 0 {
		t.Errorf("%d and %d keys are kept after all have left", len(l.held), len(l.rows))
	}
}

// Once a crowd is in, nothing is kept of it.
func TestTidyGivesBackWhatIsIdle(t *testing.T) {
	l := NewLimiter[int](0, 1, rand.Reader)
	for i := range 1000 {
		l.Enter(0, i)
	}
	l.Tidy(tidyEvery - time.Millisecond)
	if len(l.rows) != 1000 {
		t.Fatalf("%d keys right after, want all: nobody waits for a sweep every tick", len(l.rows))
	}
	l.Tidy(tidyEvery)
	if len(l.rows) != 0 {
		t.Fatalf("%d keys are kept, want none", len(l.rows))
	}
	for range handshakeBurst {
		l.Enter(2*tidyEvery, -1)
	}
	l.Tidy(2 * tidyEvery)
	if len(l.rows) != 1 {
		t.Fatalf("%d keys are kept, want the one that is active", len(l.rows))
	}
}

func TestAddressLimitsCountSessionsAndHandshakes(t *testing.T) {
	a := NewLimiter[netip.Addr](2, 1, rand.Reader)
	one, two := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("::ffff:192.0.2.1")
	now := time.Hour
	for i := range 2 {
		if _, ok := a.Enter(now, AddrKey(one)); !ok {
			t.Fatalf("session %d of 2 refused", i+1)
		}
	}
	if _, ok := a.Enter(now, AddrKey(two)); ok {
		t.Fatal("the same host in IPv6 clothes passed")
	}
	a.Leave(AddrKey(one))
	if _, ok := a.Enter(now, AddrKey(one)); !ok {
		t.Fatal("no room after one has left")
	}
	six := []netip.Addr{netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("2001:db8::2"), netip.MustParseAddr("2001:db8:0:1::1")}
	a.Enter(now, AddrKey(six[0]))
	a.Enter(now, AddrKey(six[1]))
	if _, ok := a.Enter(now, AddrKey(six[0])); ok {
		t.Fatal("addresses of one /64 count apart")
	}
	if _, ok := a.Enter(now, AddrKey(six[2])); !ok {
		t.Fatal("another /64 was refused")
	}

	r := NewLimiter[netip.Addr](0, 2, rand.Reader)
	passed := 0
	for range 100 {
		if _, ok := r.Enter(now, one); ok {
			passed++
		}
	}
	if passed != handshakeBurst+1 {
		t.Fatalf("%d handshakes at once, want %d", passed, handshakeBurst+1)
	}
	wait, _ := r.Enter(now, one)
	if _, ok := r.Enter(now+wait, one); !ok {
		t.Fatalf("refused after the wait of %v that was asked for", wait)
	}
}

// What a crowd that comes at the admission rate costs the ticker, and with it every HELLO
// that waits for the table meanwhile.
func BenchmarkTidy(b *testing.B) {
	for name, keys := range map[string]int{"10000 active": 10_000, "full": maxKeys} {
		b.Run(name, func(b *testing.B) {
			l := NewLimiter[uint64](0, 0.2, rand.Reader)
			for key := range uint64(keys) {
				l.Enter(0, key*0x9e3779b97f4a7c15)
			}
			for now := time.Second; b.Loop(); {
				l.swept = now - tidyEvery
				l.Tidy(now)
			}
		})
	}
}

func BenchmarkEnterAFullTable(b *testing.B) {
	l := NewLimiter[uint64](0, 0.2, rand.Reader)
	key := uint64(0)
	for ; key < maxKeys; key++ {
		l.Enter(0, key*0x9e3779b97f4a7c15)
	}
	for b.Loop() {
		key++
		l.Enter(0, key*0x9e3779b97f4a7c15)
	}
}
