package reactor

import (
	"testing"
	"time"
)

// Stalls in quick succession are one; after a while of its own length without one, the next
// stands for itself.
func TestAStallThatIsLongOverIsNotAddedToTheNext(t *testing.T) {
	c := newClock(0, 80*time.Second, 250*time.Millisecond)
	c.observe(5 * time.Second)
	c.observe(5*time.Second + 100*time.Millisecond)
	c.observe(9*time.Second + 100*time.Millisecond)
	if want := 9 * time.Second; c.stall != want {
		t.Errorf("two stalls in quick succession: %v, want %v", c.stall, want)
	}
	for at := c.real; at < 30*time.Second; at += 500 * time.Millisecond {
		c.observe(at)
	}
	c.observe(33 * time.Second)
	if c.stall > 4*time.Second {
		t.Errorf("a stall of 3 s after twenty without: %v", c.stall)
	}
}

// A gap of up to two ticks is the ticker's own, however short the timeout or long the tick.
func TestTwoTicksAreNoStall(t *testing.T) {
	for _, tick := range []time.Duration{100 * time.Millisecond, 3 * time.Second} {
		c := newClock(0, time.Millisecond, tick)
		if c.observe(2 * tick); c.held != 0 {
			t.Errorf("tick %v: two ticks without a look held %v", tick, c.held)
		}
		if c.observe(2*tick + 3*tick); c.held != tick {
			t.Errorf("tick %v: three ticks without a look held %v, want one of them", tick, c.held)
		}
	}
}
