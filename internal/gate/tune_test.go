package gate

import (
	"crypto/rand"
	"strings"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

func TestPlacesBelowWhatIsOpenThrowNobodyOut(t *testing.T) {
	c := NewConns(10_000, 10, 1, 3, 1000)
	for range 1000 {
		if !c.Enter() {
			t.Fatal("no place")
		}
	}
	c.SetMax(10)
	if c.Open() != 1000 || c.Enter() || c.Max.Load() != 10 || c.MaxPending.Load() != 10 {
		t.Errorf("%d open of %d, %d pending", c.Open(), c.Max.Load(), c.MaxPending.Load())
	}
	for range 991 {
		c.Leave()
	}
	if !c.Enter() || c.Enter() {
		t.Error("one place is free")
	}
	c.SetMax(1 << 30)
	if most := 10_000 - 10 - 3 - 300; c.Max.Load() != int64(most) || c.MaxKnocking.Load() != 0 {
		t.Errorf("%d places and %d beyond, want the %d that descriptors leave", c.Max.Load(), c.MaxKnocking.Load(), most)
	}
}

// Sessions count that came while there was a bound, whatever it is when they leave.
func TestBoundsOfAnAddressChangeWhileItHasSessions(t *testing.T) {
	l := NewLimiter[int](0, 0, rand.Reader)
	if _, held, ok := l.Hold(0, 1); held || !ok {
		t.Fatal("it counts without a bound")
	}
	l.SetBounds(0, 0, 1000)
	if _, held, ok := l.Hold(0, 1); held || !ok {
		t.Fatal("it counts with a bound of the rate alone")
	}
	l.SetBounds(0, 2, 0)
	for i := range 3 {
		if _, held, ok := l.Hold(0, 1); held != (i < 2) || ok != (i < 2) {
			t.Fatalf("session %d: held %v, ok %v", i, held, ok)
		}
	}
	l.SetBounds(0, 0, 0)
	l.Leave(1)
	l.Leave(1)
	if len(l.held) != 0 {
		t.Errorf("%d keys are kept of sessions that have left", len(l.held))
	}
	l.SetBounds(0, 1, 0)
	if _, held, ok := l.Hold(0, 1); !held || !ok {
		t.Error("no place for one")
	}
}

func TestALooserRateOfAKeyHoldsForWhoWaits(t *testing.T) {
	l := NewLimiter[int](0, 0.001, rand.Reader)
	for range handshakeBurst + 1 {
		l.Enter(0, 1)
	}
	if wait, ok := l.Enter(0, 1); ok || wait < 900*time.Second {
		t.Fatalf("waits %v", wait)
	}
	l.SetBounds(0, 0, 10)
	if wait, ok := l.Look(0, 1); ok || wait > 100*time.Millisecond {
		t.Errorf("waits %v at ten a second", wait)
	}
	l.SetBounds(0, 0, 0)
	if wait, ok := l.Enter(0, 1); !ok {
		t.Errorf("waits %v though there is no bound", wait)
	}
	l.SetBounds(0, 0, 1e-300)
	if _, ok := l.Enter(time.Second, 2); !ok {
		t.Error("a rate of next to nothing has no burst")
	}
}

func TestCeilingMovesAPaceThatLoadHasNotLowered(t *testing.T) {
	var l Load
	l.begin(1000, time.Second, time.Second)
	if l.SetCeiling(4000); l.Pace() != 4000 || l.Steady() != 4000 || l.SlotRate() != 4000 {
		t.Errorf("pace %v, steady %v, slots %v", l.Pace(), l.Steady(), l.SlotRate())
	}
	for i := range 8 {
		l.Observe(time.Duration(i+1)*500*time.Millisecond, Sample{Waited: 5 * time.Second}, nil, nil)
	}
	slow := l.Pace()
	if slow >= 1000 {
		t.Fatalf("pace %v", slow)
	}
	if l.SetCeiling(2000); l.Pace() != slow {
		t.Errorf("a pace that load has lowered went from %v to %v", slow, l.Pace())
	}
	if l.SetCeiling(1); l.Pace() > 1 || l.SlotRate() > 1 {
		t.Errorf("pace %v above the ceiling", l.Pace())
	}
}

// What TLS handshakes are held to is what the node says of itself, and nobody who has made one waits for that again:
// slots are for what comes behind it.
func TestHandshakesLowerThePaceAndNotTheSlots(t *testing.T) {
	var l Load
	l.begin(1000, time.Second, time.Second)
	if l.SetHandshakes(50); l.Pace() != 50 || l.SlotRate() != 1000 {
		t.Errorf("pace %v, slots %v", l.Pace(), l.SlotRate())
	}
	if l.SetHandshakes(0); l.Pace() != 1000 || l.SlotRate() != 1000 {
		t.Errorf("pace %v, slots %v without a bound", l.Pace(), l.SlotRate())
	}
	if l.SetHandshakes(5000); l.Pace() != 1000 {
		t.Errorf("pace %v, above what may come in", l.Pace())
	}
	l.Observe(time.Second, Sample{}, nil, &Sample{Waited: 2 * LongWait})
	if l.Pace() > 500 || l.SlotRate() != 1000 {
		t.Errorf("pace %v, slots %v while handshakes wait", l.Pace(), l.SlotRate())
	}
}

// While handshakes wait for long, no more of them begin than can be let in, and for a second after.
func TestHandshakesThatWaitBeginAtThePaceOfSlots(t *testing.T) {
	for _, asked := range []float64{0, 50, 5000} {
		var l Load
		l.begin(1000, time.Second, time.Second)
		l.SetHandshakes(asked)
		at := time.Duration(0)
		look := func(waited time.Duration) {
			at += 500 * time.Millisecond
			l.Observe(at, Sample{}, nil, &Sample{Waited: waited})
		}
		wants := func(rate float64, slots bool) {
			t.Helper()
			if r, s := l.HandshakeRate(at); r != rate || s != slots {
				t.Errorf("of %v at %v: %v, slots %v, want %v, %v", asked, at, r, s, rate, slots)
			}
		}
		wants(asked, false)
		look(LongWait)
		wants(asked, false)
		look(2 * LongWait)
		bound := 1000.0
		if asked > 0 {
			bound = min(bound, asked)
		}
		wants(bound, true)
		look(0)
		wants(bound, true)
		look(0)
		wants(asked, false)
	}
}

// A secret is changed while clients hold passes of the old one, and of none.
func TestSecretsOfPassesChangeWhileTheNodeRuns(t *testing.T) {
	old, fresh := []byte(strings.Repeat("o", 32)), []byte(strings.Repeat("f", 32))
	s := NewSeals(nil, rand.Reader)
	id, now := codec.SessionID{Epoch: 1, Handle: 2}, time.Unix(1000, 0)
	pass := func() []byte {
		return append([]byte(nil), s.Pass(make([]byte, MaxSealLen), now.Add(time.Hour), id, 7<<16, []byte("alice"))...)
	}
	known := func(p []byte) bool { _, _, ok := s.Returns(now, p, []byte("alice")); return ok }
	alone := pass()
	s.SetSecrets([][]byte{old})
	first := pass()
	if known(alone) || !known(first) {
		t.Error("a pass of no secret is known, or one of the secret is not")
	}
	s.SetSecrets([][]byte{fresh, old})
	second := pass()
	if !known(first) || !known(second) {
		t.Error("both are to be known while both are there")
	}
	s.SetSecrets([][]byte{fresh})
	if known(first) || !known(second) {
		t.Error("the old one is forgotten, and the new one is not")
	}
	if s.SetSecrets(nil); !known(alone) || known(second) {
		t.Error("without secrets it is the random one of before")
	}
}
