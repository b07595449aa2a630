package swarm

import (
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/internal/link"
)

func TestOnAGridAPingIsDueAtTheNextMultipleInThePhaseOfItsProcess(t *testing.T) {
	const grid = 16 * time.Millisecond
	for first := range 4 {
		l := &loop{swarm: &Swarm{cfg: Config{Grid: grid, First: first, Of: 4}}}
		phase := grid * time.Duration(first) / 4
		for due := time.Duration(0); due < 3*grid; due += 333 * time.Microsecond {
			at := l.onGrid(due)
			if at < due || at >= due+grid || (at-phase)%grid != 0 {
				t.Fatalf("process %d: due at %v becomes %v", first, due, at)
			}
			if l.onGrid(at) != at {
				t.Fatalf("process %d: %v is on the grid and becomes %v", first, at, l.onGrid(at))
			}
		}
	}
	if l := (&loop{swarm: &Swarm{cfg: Config{Of: 1}}}); l.onGrid(12345) != 12345 {
		t.Error("without a grid a PING is due when its link says")
	}
}

// Timers of waits that are about as long meet, and none is later by more than its looseness.
func TestLooseTimersMeetAndAreHardlyLater(t *testing.T) {
	for _, wait := range []time.Duration{time.Millisecond, 63 * time.Millisecond, 64 * time.Millisecond, time.Second, 3750 * time.Millisecond, 30 * time.Second, time.Hour} {
		most := max(wait/looseness, wheelTick)
		if got := loose(wait); got > most || 2*got <= most {
			t.Errorf("a timer of a wait of %v may be %v later, want the power of two up to %v", wait, got, most)
		}
	}
	meet := map[time.Duration]bool{}
	const wait = 3750 * time.Millisecond
	for asked := time.Duration(0); asked < time.Second; asked += 3 * time.Millisecond {
		meet[roundUp(asked+wait, loose(wait))] = true
	}
	if len(meet) > 40 {
		t.Errorf("the timers of 334 waits that began in one second run at %d times", len(meet))
	}
}

// Nobody but a client that is ready has times that were drawn for it.
func TestOnlyTimersOfSessionsMayWait(t *testing.T) {
	l := &loop{swarm: &Swarm{cfg: Config{Grid: time.Hour, Of: 1}}}
	c := &client{}
	cfg := &link.Config{Endpoints: []string{"127.0.0.1:1"}}
	cfg.Fill()
	c.link.Init(cfg, 0, 1)
	c.link.Start(time.Second, &l.out)
	if due := c.link.Deadline(); due == link.Never || l.linkDue(c) != due {
		t.Errorf("a connect that is given up at %v is due at %v", due, l.linkDue(c))
	}
}

// Its lateness, and the round trip from its due time, count from there.
func TestOnAGridAPingIsIntendedThereAndNeverAfterItsWrite(t *testing.T) {
	const ms = time.Millisecond
	l := &loop{swarm: &Swarm{cfg: Config{Grid: 16 * ms, Of: 1}}, waits: newWaits(time.Second)}
	for _, c := range []struct{ intended, known, wrote, want time.Duration }{
		{33 * ms, 0, 48 * ms, 48 * ms},
		{33 * ms, 0, 70 * ms, 48 * ms},       // it is late by 22 ms
		{33 * ms, 60 * ms, 70 * ms, 60 * ms}, // nobody could know before
		{33 * ms, 0, 34 * ms, 34 * ms},       // it was asked for out of turn
	} {
		l.wroteAt = c.wrote
		var one client
		one.known = c.known
		if l.ask(0, &one, c.intended); one.asked.intended != c.want {
			t.Errorf("due at %v, known at %v, written at %v: intended at %v, want %v", c.intended, c.known, c.wrote, one.asked.intended, c.want)
		}
	}
}
