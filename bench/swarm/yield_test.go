package swarm

import (
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/internal/link"
	"github.com/stormwheel/stormwheel/timingwheel"
)

const ms = time.Millisecond

// lateBy has timers be late by d for so many tenths of a second.
func (p *pace) lateBy(d time.Duration, looks int) {
	for range looks {
		p.late(d)
		p.look()
	}
}

func TestAnAdaptiveRampIsAsFastAsAskedForWhileTheLoadTestIsPunctual(t *testing.T) {
	var p pace
	p.expect(Adaptive)
	p.lateBy(ms, 100)
	for now := time.Duration(0); now <= 10*time.Second; now += 10 * ms {
		p.pass(now)
	}
	if p.behind != 0 {
		t.Errorf("it is behind by %v", p.behind)
	}
}

func TestAnAdaptiveRampSlowsDownWhileTheLoadTestIsLateAndGoesOnWhenItIsNot(t *testing.T) {
	var p pace
	p.expect(Adaptive)
	p.lateBy(50*ms, 20)
	p.pass(10 * time.Second)
	p.at = 10 * time.Second
	p.behind = 0
	p.pass(20 * time.Second)
	if want := 9 * time.Second; p.behind != want {
		t.Errorf("in 10 s in which it is late it falls behind by %v, want %v: it goes on, at a tenth of its speed", p.behind, want)
	}
	p.lateBy(0, 40)
	p.pass(30 * time.Second)
	if want := 9 * time.Second; p.behind != want {
		t.Errorf("when it is punctual again it is behind by %v, want %v as before", p.behind, want)
	}
	p.coming = 0
	p.expect(Adaptive)
	if p.behind != 0 {
		t.Errorf("the next ramp begins behind by %v", p.behind)
	}
}

func TestOtherRampsNeverWait(t *testing.T) {
	for _, profile := range []string{"", "linear", "step", "poisson"} {
		var p pace
		p.expect(profile)
		p.lateBy(time.Second, 50)
		p.pass(time.Hour)
		if p.behind != 0 {
			t.Errorf("%q is behind by %v", profile, p.behind)
		}
	}
}

// What was due when the load test fell behind is late, and counts as that; what is to come waits.
func TestAnArrivalIsPutOffBeforeItIsDue(t *testing.T) {
	l := &loop{swarm: &Swarm{cfg: Config{Of: 1}}, clients: make([]client, 1), now: 100 * ms}
	l.pace.expect(Adaptive)
	c := &l.clients[0]
	c.arrival, c.wake, c.due = 90*ms, 90*ms, 90*ms
	l.pace.behind = 5 * ms
	if until, wait := l.putOff(c); wait {
		t.Errorf("one that was due at 95 ms waits until %v", until)
	}
	l.pace.behind = 25 * ms
	if again := l.visit(timingwheel.ID(0)); again != 115*ms || c.wake != again || c.flags.has(flagStarted) || c.link.Deadline() != link.Never {
		t.Errorf("put off by 25 ms it is looked at again at %v (%v), started %v; want 115ms, and not started", again, c.wake, c.flags.has(flagStarted))
	}
}

// In a crowd the turn that sends PINGs connects as well; nobody comes before now for it, or later.
func TestInACrowdClientsConnectOnTheGrid(t *testing.T) {
	const grid = 16 * ms
	wheel, err := timingwheel.New(timingwheel.Config{Tick: wheelTick, Slots: wheelSlots, Capacity: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer wheel.Close()
	wheel.Add(link.Never)
	l := &loop{swarm: &Swarm{cfg: Config{Grid: grid, First: 1, Of: 4}}, clients: make([]client, 1), wheel: wheel, now: 100 * ms}
	for at := 90 * ms; at < 200*ms; at += 333 * time.Microsecond {
		l.expect(0, at, "")
		got := l.clients[0].arrival
		onGrid := (got-grid/4)%grid == 0
		if got > at || at-got > grid || got < l.now && got != at || !onGrid && got != l.now && at > l.now {
			t.Fatalf("one that was to come at %v comes at %v", at, got)
		}
	}
}
