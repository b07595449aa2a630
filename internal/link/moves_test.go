package link

import (
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

// until ticks, with a node that answers PINGs, until cond.
func (r *rig) until(cond func() bool) {
	r.t.Helper()
	for i := 0; !cond(); i++ {
		if i > 1000 {
			r.t.Fatal("it never happens")
		}
		r.tick()
		if r.l.heartbeat.waiting() {
			r.from(r.l.Attempt(), codec.AppendPong(nil, codec.PongMessage{Token: r.l.heartbeat.token, Terms: testTerms}))
		}
	}
}

// refuseMoves has n attempts of the handover refused.
func (r *rig) refuseMoves(n int) {
	r.t.Helper()
	for range n {
		r.until(func() bool { return r.l.conns[1].attempt != 0 })
		r.disconnected(errReset, false)
	}
}

// The nodes that refused a move were all there; a loss has its window as if nothing had been.
func TestRefusedMovesDoNotGrowTheWaitsAfterALoss(t *testing.T) {
	lost := func(r *rig) { r.l.Disconnected(r.now, 1, errReset, &r.out); r.settle() }
	for _, c := range []struct {
		name      string
		die       func(*rig)
		low, high time.Duration
	}{
		{"between attempts", lost, 0, testTerms.Window},
		{"during an attempt that then fails", func(r *rig) {
			r.until(func() bool { return r.l.conns[1].attempt != 0 })
			lost(r)
			r.disconnected(errReset, false)
		}, 0, testTerms.Window},
		{"the second wait", func(r *rig) { lost(r); r.tick(); r.disconnected(errReset, false) }, 0, time.Second / 2},
		{"during an attempt, the second wait", func(r *rig) {
			r.until(func() bool { return r.l.conns[1].attempt != 0 })
			lost(r)
			r.disconnected(errReset, false)
			r.tick()
			r.disconnected(errReset, false)
		}, 0, time.Second / 2},
	} {
		for _, endpoints := range [][]string{twoNodes, twoNodes[:1]} {
			low, high := sample(t, 300, Config{Endpoints: endpoints}, func(r *rig) time.Duration {
				stable(r)
				r.goAway(codec.GoAwayMessage{Code: codec.CodeDraining})
				r.refuseMoves(8)
				c.die(r)
				return r.wait()
			})
			slack := (c.high - c.low) / 30
			if low < c.low || high > c.high || low > c.low+slack || high < c.high-slack {
				t.Errorf("%s, %d endpoints: waits %v to %v, want all of %v to %v", c.name, len(endpoints), low, high, c.low, c.high)
			}
		}
	}
}

// What failed before a session that was not stable goes on after it, move or not.
func TestALossDuringAMoveGoesOnWithTheFailuresBefore(t *testing.T) {
	r := newRig(t, Config{Endpoints: twoNodes})
	r.start()
	for range 5 {
		r.disconnected(errReset, false)
		r.tick()
	}
	r.connected()
	r.welcome(codec.WelcomeMessage{Terms: testTerms})
	r.goAway(codec.GoAwayMessage{Code: codec.CodeDraining})
	r.refuseMoves(2)
	r.l.Disconnected(r.now, r.l.Attempt(), errReset, &r.out)
	r.settle()
	if got := r.l.retry.lost.failures; got != 6 {
		t.Errorf("%d failures, want the 5 before the session and its loss", got)
	}
}

// A drain of 20 s, and no other endpoint: the node refuses each attempt.
func TestALoneClientKnocksAFewTimesWhileItsNodeDrains(t *testing.T) {
	for name, refuse := range map[string]func(*rig){
		"code":    func(r *rig) { r.connected(); r.goAway(codec.GoAwayMessage{Code: codec.CodeDraining}) },
		"connect": func(r *rig) { r.disconnected(errReset, false) },
	} {
		total := 0
		for seed := range 200 {
			r := newRig(t, Config{})
			r.l.rng = rng(seed)
			stable(r)
			r.goAway(codec.GoAwayMessage{Code: codec.CodeDraining})
			if r.l.Info().NextAttempt == r.now {
				t.Fatal("it knocks at once")
			}
			began, attempts := r.now, 0
			for {
				r.until(func() bool { return r.l.conns[1].attempt != 0 })
				if r.now-began > 20*time.Second {
					break
				}
				attempts++
				refuse(r)
			}
			if attempts < 2 || attempts > 6 {
				t.Errorf("%s: %d attempts in 20 s", name, attempts)
			}
			total += attempts
		}
		if mean := float64(total) / 200; mean > 4.5 {
			t.Errorf("%s: %.2f attempts in 20 s", name, mean)
		}
	}
}

// An alternate that a refusal names is somewhere to go.
func TestALoneClientIsNotLoneOnceItKnowsAnother(t *testing.T) {
	r := newRig(t, Config{})
	stable(r)
	r.goAway(codec.GoAwayMessage{Code: codec.CodeDraining})
	r.until(func() bool { return r.l.conns[1].attempt != 0 })
	r.connected()
	r.goAway(codec.GoAwayMessage{Code: codec.CodeDraining, Alternates: []byte("10.0.0.9:1")})
	if wait := r.l.Info().NextAttempt - r.now; wait != 0 {
		t.Errorf("it goes there in %v, want at once", wait)
	}
}

func TestASessionThatWasStableBeforeItsMoveSettlesTheBackoff(t *testing.T) {
	r := newRig(t, Config{Endpoints: twoNodes})
	r.start()
	for range 5 {
		r.disconnected(errReset, false)
		r.tick()
	}
	r.connected()
	r.welcome(codec.WelcomeMessage{Terms: testTerms})
	r.goAway(codec.GoAwayMessage{Code: codec.CodeDraining, Delay: 2 * time.Minute})
	r.until(func() bool { return r.l.conns[1].attempt != 0 })
	r.connected()
	r.welcome(codec.WelcomeMessage{Terms: testTerms})
	r.now += time.Second
	r.l.Disconnected(r.now, r.l.Attempt(), errReset, &r.out)
	r.settle()
	if got := r.l.retry; got.lost.failures != 1 || seconds(r.now)-got.outage > 1 {
		t.Errorf("%+v at %v, want a young outage", got, r.now)
	}
}

// The session lives: there is no outage whose end must be noticed soon.
func TestFailedMovesAreFullJitterUpToBackoffMax(t *testing.T) {
	low, high := sample(t, 300, Config{Endpoints: twoNodes}, func(r *rig) time.Duration {
		terms := testTerms
		terms.Window = time.Second
		r.ready(terms)
		r.now += 2 * time.Second
		r.goAway(codec.GoAwayMessage{Code: codec.CodeDraining})
		r.refuseMoves(9)
		return r.l.Info().NextAttempt - r.now
	})
	if low > 2*time.Second || high < 58*time.Second || high > time.Minute {
		t.Errorf("waits %v to %v, want all of 0 to 60s", low, high)
	}
}

func TestMovesInARowAreForgottenAfterAStableSession(t *testing.T) {
	r := newRig(t, Config{Endpoints: twoNodes})
	r.ready(testTerms)
	for range trusted {
		r.goAway(codec.GoAwayMessage{Code: codec.CodeDraining})
		r.until(func() bool { return r.l.conns[1].attempt != 0 })
		r.connected()
		r.welcome(codec.WelcomeMessage{Terms: testTerms})
		r.finishOld()
	}
	r.now += time.Minute
	r.goAway(codec.GoAwayMessage{Code: codec.CodeDraining})
	if wait := r.l.Info().NextAttempt - r.now; wait != 0 {
		t.Errorf("after a minute a wait of %v", wait)
	}
}
