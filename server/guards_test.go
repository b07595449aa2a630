package server

import (
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

// Evictions are put off twice in a row, and who is heard in between begins a new row.
func TestLifeGivesBackTheTicksThatUnreadBytesWonBefore(t *testing.T) {
	n := newNode(t, rigConfig{})
	slot, p := n.join()
	for round := range 3 {
		p.unread = 1
		n.run(n.r.cfg.Timeout - n.r.cfg.Tick)
		for tick := range maxExcuses + 1 {
			if n.run(n.r.cfg.Tick); p.aborted {
				t.Fatalf("round %d: evicted in tick %d, though bytes wait to be read", round, tick)
			}
		}
		p.unread = 0
		n.send(slot, codec.AppendPing(nil, 1, 0))
	}
}

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

// What a check takes is the server's time: it counts neither against the deadline of HELLO nor
// against the first heartbeat.
func TestTheTimeOfACheckIsChargedToNobody(t *testing.T) {
	n := newNode(t, rigConfig{AuthTimeout: 20 * time.Second})
	n.r.asker = asks(func() {})
	slot, p := n.dial()
	n.run(4 * time.Second) // of 5
	n.send(slot, hello("alice"))
	n.run(17 * time.Second)
	if p.finished || p.closed {
		t.Fatal("sent away while it was being checked in time")
	}
	n.r.authenticated(authAnswer{Handle: n.r.handle(slot)})
	n.run(n.r.cfg.Timeout - n.r.cfg.Tick)
	if p.aborted {
		t.Fatal("evicted within its timeout, which begins with WELCOME")
	}
	n.run(3 * n.r.cfg.Tick)
	if !p.aborted {
		t.Fatal("not evicted after its timeout")
	}
}
