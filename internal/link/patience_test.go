package link

import (
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

// welcomeTimeouts lets n attempts end in the wait for WELCOME and tells how long each waited.
func (r *rig) welcomeTimeouts(n int) (waits []time.Duration) {
	r.t.Helper()
	for range n {
		if r.l.State() == StateBackingOff {
			r.tick()
		}
		r.connected()
		told := r.l.Info().WelcomeTimeout
		began := r.now
		r.tick()
		waits = append(waits, r.now-began)
		if e, _ := r.last(Lost); e.Reason != WelcomeTimeout || told != r.now-began {
			r.t.Fatalf("Lost = %+v after %v, Info says %v", e, r.now-began, told)
		}
	}
	return waits
}

func (r *rig) connectTimeouts(n int) (waits []time.Duration) {
	r.t.Helper()
	for range n {
		if r.l.State() == StateBackingOff {
			r.tick()
		}
		told := r.l.Info().ConnectTimeout
		began := r.now
		r.tick()
		waits = append(waits, r.now-began)
		if e, _ := r.last(Lost); e.Reason != ConnectTimeout || told != r.now-began {
			r.t.Fatalf("Lost = %+v after %v, Info says %v", e, r.now-began, told)
		}
	}
	return waits
}

func wantWaits(t *testing.T, what string, got []time.Duration, seconds ...int) {
	t.Helper()
	for i, s := range seconds {
		if got[i] != time.Duration(s)*time.Second {
			t.Errorf("%s: waited %v, want %v s", what, got, seconds)
			return
		}
	}
}

func TestPatienceGrowsUntilItIsRewarded(t *testing.T) {
	for _, policy := range []Policy{Window, Full} {
		r := newRig(t, Config{Policy: policy})
		r.start()
		wantWaits(t, "WELCOME", r.welcomeTimeouts(5), 5, 10, 20, 40, 40)
		if info := r.l.Info(); info.WelcomeTimeout != 40*time.Second || info.ConnectTimeout != 5*time.Second {
			t.Errorf("Info = %+v", info)
		}
		r.tick()
		wantWaits(t, "connect", r.connectTimeouts(5), 5, 10, 20, 40, 40)
		wantWaits(t, "WELCOME after connects", r.welcomeTimeouts(1), 40)
		r.tick()
		wantWaits(t, "connect after one", r.connectTimeouts(2), 5, 10)
		r.ready(testTerms)
		r.disconnected(errReset, false)
		r.tick()
		wantWaits(t, "WELCOME after one", r.welcomeTimeouts(2), 5, 10)
	}
}

// What a storm lab compares has the patience it has elsewhere.
func TestForeignPoliciesHaveAFixedPatience(t *testing.T) {
	for _, policy := range []Policy{Equal, Decorrelated, Fixed, Exponential} {
		r := newRig(t, Config{Policy: policy})
		r.start()
		wantWaits(t, policy.String(), r.welcomeTimeouts(3), 5, 5, 5)
		r.tick()
		wantWaits(t, policy.String(), r.connectTimeouts(3), 5, 5, 5)
	}
}

func TestPatienceIsAnHourAtMost(t *testing.T) {
	r := newRig(t, Config{WelcomeTimeout: 20 * time.Minute})
	r.start()
	wantWaits(t, "WELCOME", r.welcomeTimeouts(4), 1200, 2400, 3600, 3600)
}

// A network that changed meanwhile explains the silence: the server may be quick.
func TestPatienceDoesNotGrowByTheClientsOwnNetwork(t *testing.T) {
	r := newRig(t, Config{})
	r.start()
	r.l.NetworkChanged(r.now, &r.out)
	r.tick()
	r.tick()
	r.connected()
	r.l.NetworkChanged(r.now, &r.out)
	r.tick()
	if info := r.l.Info(); info.ConnectTimeout != 5*time.Second || info.WelcomeTimeout != 5*time.Second {
		t.Errorf("Info = %+v", info)
	}
}

// The heartbeat of a session that came late counts from its HELLO.
func TestALateWelcomeDoesNotShiftTheBeat(t *testing.T) {
	for _, lost := range []bool{false, true} {
		r := draining(t, Config{})
		for range 3 { // in vain
			r.until(func() bool { return r.l.conns[1].attempt != 0 })
			r.connected()
			due := r.l.conns[1].due
			r.until(func() bool { return r.l.conns[1].attempt == 0 })
			if r.now != due {
				t.Fatalf("gave up at %v, due %v", r.now, due)
			}
		}
		r.until(func() bool { return r.l.conns[1].attempt != 0 })
		r.connected()
		hello := r.now
		if lost {
			r.l.Disconnected(r.now, 1, errReset, &r.out)
			r.settle()
		}
		r.now += 3 * time.Second
		r.welcome(codec.WelcomeMessage{Terms: testTerms})
		if r.l.State() != StateReady || r.l.heartbeat.wrote != hello {
			t.Errorf("lost %v: %s, wrote %v after HELLO", lost, r.l.State(), r.l.heartbeat.wrote-hello)
		}
	}
}
