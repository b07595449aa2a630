package link

import (
	"testing"
	"time"
)

func (r *rig) networkChanged() {
	r.l.NetworkChanged(r.now, &r.out)
	r.settle()
}

// A phone whose address is gone is back in a second or two, at the node that it had.
func TestUnansweredNetworkChangeIsALocalLoss(t *testing.T) {
	for name, lose := range map[string]func(*rig){
		"silence": func(r *rig) { r.networkChanged(); r.tick() },
		"silence, a PING was out": func(r *rig) {
			r.tick()
			r.now += time.Second
			r.networkChanged()
			r.tick()
		},
		"silence, a PONG was overdue": func(r *rig) { // the machine slept meanwhile
			r.tick()
			r.now = r.l.Deadline()
			r.networkChanged()
			r.tick()
		},
		"silence, the owner slept over it": func(r *rig) {
			r.networkChanged()
			r.now += time.Hour
			r.tick()
			r.wantState(StateReady)
			r.tick()
		},
		"reset": func(r *rig) { r.networkChanged(); r.disconnected(errReset, false) },
	} {
		t.Run(name, func(t *testing.T) {
			_, high := sample(t, 200, Config{}, func(r *rig) time.Duration {
				stable(r)
				lose(r)
				if r.l.heartbeat.wrote == 0 || r.now-r.l.heartbeat.wrote > time.Second {
					t.Fatalf("noticed %v after the probe, want a second at most", r.now-r.l.heartbeat.wrote)
				}
				if until := r.l.penalisedUntil(r.dials[0]); until != 0 {
					t.Fatalf("the endpoint is penalised until %v", until)
				}
				return r.wait()
			})
			if high > time.Second || high < 900*time.Millisecond {
				t.Errorf("waits up to %v, want all of U(0, 1s)", high)
			}
		})
	}
}

func TestAnsweredNetworkChangeChangesNothing(t *testing.T) {
	r := newRig(t, Config{})
	stable(r)
	r.networkChanged()
	r.now += 500 * time.Millisecond
	r.answer(testTerms)
	if wait := r.l.Deadline() - r.now; wait < 20*time.Second {
		t.Errorf("the next PING is due in %v, want the usual interval", wait)
	}
	if r.count(Lost) != 0 || len(r.dials) != 1 || len(r.closed) != 0 || r.count(PingSent) != 1 {
		t.Errorf("events %v, dials %v, closed %v", r.events, r.dials, r.closed)
	}
	r.tick() // PING
	pinged := r.now
	r.tick()
	if r.now-pinged != 10*time.Second || r.l.penalisedUntil(r.dials[0]) <= r.now {
		t.Errorf("a later silence is noticed after %v and the server is not blamed", r.now-pinged)
	}
}

func TestNetworkChangesInARowMakeOneProbe(t *testing.T) {
	r := newRig(t, Config{})
	r.ready(testTerms)
	due := r.now + time.Second
	for range 3 { // repeating it must not put the end off
		r.networkChanged()
		r.now += 300 * time.Millisecond
	}
	if r.count(PingSent) != 1 || r.l.heartbeat.pongDue != due {
		t.Errorf("%d PINGs, answer due in %v, want one and what is left of a second", r.count(PingSent), r.l.heartbeat.pongDue-r.now)
	}
}

func TestProbeTimeSuitsThePath(t *testing.T) {
	for _, c := range []struct{ rtt, pongTimeout, want time.Duration }{
		{20 * time.Millisecond, 10 * time.Second, time.Second},
		{900 * time.Millisecond, 10 * time.Second, 1800 * time.Millisecond}, // by satellite
		{9 * time.Second, 10 * time.Second, 10 * time.Second},
		{20 * time.Millisecond, 300 * time.Millisecond, 300 * time.Millisecond},
	} {
		r := newRig(t, Config{PongTimeout: c.pongTimeout})
		r.ready(testTerms)
		r.tick()
		r.now += c.rtt
		r.answer(testTerms)
		r.networkChanged()
		if got := r.l.heartbeat.pongDue - r.now; got != c.want {
			t.Errorf("round trip %v, pong timeout %v: probe waits %v, want %v", c.rtt, c.pongTimeout, got, c.want)
		}
		r.now = r.l.Deadline()
		r.l.Flow(r.now, r.attempt(), Flow{Held: true})
		r.l.Released(r.now)
		if got := r.l.heartbeat.pongDue - r.now; got != c.want {
			t.Errorf("round trip %v, pong timeout %v: probe waits %v after Released, want %v", c.rtt, c.pongTimeout, got, c.want)
		}
	}
}

// It was begun on a network that may be gone. One that somebody refuses is another story.
func TestAttemptUnderANetworkChangeBlamesNobodyForSilence(t *testing.T) {
	for name, enter := range map[string]func(*rig){"connecting": (*rig).start, "handshaking": func(r *rig) { r.start(); r.connected() }} {
		r := newRig(t, Config{})
		enter(r)
		due := r.l.Deadline()
		r.now += time.Second
		r.networkChanged()
		if r.l.Deadline() != due {
			t.Errorf("%s: the attempt ends at %v, want still %v", name, r.l.Deadline(), due)
		}
		r.tick()
		if wait := r.wait(); wait > time.Second || r.l.penalisedUntil(r.dials[0]) != 0 {
			t.Errorf("%s: penalised until %v, next attempt in %v", name, r.l.penalisedUntil(r.dials[0]), wait)
		}
	}
	r := newRig(t, Config{})
	r.start()
	r.networkChanged()
	r.disconnected(errReset, false)
	if r.l.penalisedUntil(r.dials[0]) <= r.now {
		t.Error("who refuses is not blamed")
	}
}

func TestCuriousOwnerIsNotInDoubt(t *testing.T) {
	r := newRig(t, Config{})
	r.l.Ping(r.now, &r.out)
	r.ready(testTerms)
	r.now += time.Second
	for range 2 {
		r.l.Ping(r.now, &r.out)
		r.settle()
	}
	if wait := r.l.heartbeat.pongDue - r.now; wait != 10*time.Second || r.count(PingSent) != 1 {
		t.Errorf("%d PINGs, %v for the answer, want one and the whole pong timeout", r.count(PingSent), wait)
	}
	r.tick()
	if r.l.penalisedUntil(r.dials[0]) <= r.now {
		t.Error("the silent server is not blamed")
	}
}

func TestNetworkChangedCutsTheWait(t *testing.T) {
	_, high := sample(t, 200, Config{}, func(r *rig) time.Duration {
		stable(r)
		r.disconnected(errReset, false)
		r.l.NetworkChanged(r.now, &r.out)
		r.settle()
		return r.wait()
	})
	if high > time.Second {
		t.Errorf("waits up to %v after NetworkChanged, want at most 1s", high)
	}
}
