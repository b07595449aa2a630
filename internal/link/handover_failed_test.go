package link

import (
	"slices"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

func TestFailedMovesAreRetriedWhileTheSessionLives(t *testing.T) {
	r := draining(t, Config{})
	for i := range 6 {
		r.disconnected(errReset, false)
		r.wantState(StateReady)
		if e, _ := r.last(Lost); e.WasReady || e.Reason != ConnectFailed {
			t.Fatalf("Lost = %+v, want a failed attempt", e)
		}
		if !r.l.Info().Moving || r.l.Info().NextAttempt == Never {
			t.Fatalf("after %d failures: %+v", i+1, r.l.Info())
		}
		for r.l.conns[1].attempt == 0 { // PINGs in between
			r.tick()
			r.from(1, codec.AppendPong(nil, codec.PongMessage{Token: r.l.heartbeat.token, Terms: testTerms}))
		}
	}
	if wait := r.now - time.Hour; wait < 2*time.Second {
		t.Errorf("seven attempts within %v: no backoff", wait)
	}
	r.connected()
	r.welcome(codec.WelcomeMessage{Terms: testTerms})
	if r.count(Moved) != 1 || r.l.Info().Losses != 0 {
		t.Errorf("Info = %+v", r.l.Info())
	}
}

// A refusal of the next node is obeyed, and costs the session nothing.
func TestRefusedMovesObeyTheCode(t *testing.T) {
	for _, c := range []struct {
		m    codec.GoAwayMessage
		wait time.Duration
		here bool
	}{
		{codec.GoAwayMessage{Code: codec.CodeBusy, Delay: 7 * time.Second, Ticket: []byte("7")}, 7 * time.Second, true},
		{codec.GoAwayMessage{Code: codec.CodeFull, Delay: 3 * time.Second}, 3 * time.Second, false},
		{codec.GoAwayMessage{Code: codec.CodeDraining}, 0, false},
	} {
		r := draining(t, Config{Endpoints: append(slices.Clone(twoNodes), "10.0.0.3:1")})
		r.connected()
		r.goAway(c.m)
		r.wantState(StateReady)
		if got := r.l.Info().NextAttempt - r.now; got != c.wait {
			t.Errorf("%s: next attempt in %v, want %v", c.m.Code, got, c.wait)
		}
		r.now += c.wait
		r.l.Tick(r.now, &r.out)
		r.settle()
		if len(r.dials) != 3 || (r.dials[2] == r.dials[1]) != c.here || r.dials[2] == r.dials[0] {
			t.Errorf("%s: dials %v", c.m.Code, r.dials)
		}
		r.connected()
		if m, err := codec.ParseHello(r.frames[len(r.frames)-1].Payload); err != nil || string(m.Ticket) != string(c.m.Ticket) {
			t.Errorf("%s: HELLO with ticket %q, %v", c.m.Code, m.Ticket, err)
		}
	}
}

func TestLossDuringAMoveGoesOnWithTheAttemptUnderWay(t *testing.T) {
	for name, handshaking := range map[string]bool{"connecting": false, "handshaking": true} {
		r := draining(t, Config{})
		if handshaking {
			r.connected()
		}
		r.l.Disconnected(r.now, 1, errReset, &r.out)
		r.settle()
		if e, _ := r.last(Lost); !e.WasReady || e.Attempt != 1 {
			t.Fatalf("%s: Lost = %+v", name, e)
		}
		if r.l.Attempt() != 2 || r.l.State() == StateReady || r.l.State() == StateBackingOff {
			t.Fatalf("%s: state %s, attempt %d", name, r.l.State(), r.l.Attempt())
		}
		if !handshaking {
			r.connected()
		}
		r.welcome(codec.WelcomeMessage{Terms: testTerms})
		if info := r.l.Info(); r.count(Ready) != 2 || r.count(Moved) != 0 || info.Losses != 1 || info.Dials != 2 {
			t.Errorf("%s: Info = %+v", name, info)
		}
	}
}

func TestLossBetweenMovesIsALossLikeAnyOther(t *testing.T) {
	r := draining(t, Config{})
	r.disconnected(errReset, false) // of the attempt
	r.l.Disconnected(r.now, 1, errReset, &r.out)
	r.settle()
	r.wantState(StateBackingOff)
	if r.l.Info().Moving {
		t.Error("moving without a session")
	}
	r.tick()
	r.connected()
	r.welcome(codec.WelcomeMessage{Terms: testTerms})
	if r.count(Ready) != 2 || r.count(Moved) != 0 {
		t.Errorf("events %v", r.events)
	}
}

// A name or a balancer may lead elsewhere; the node itself refuses, and that is backed
// off from.
func TestWithNowhereElseToGoTheSameEndpointIsTried(t *testing.T) {
	r := draining(t, Config{Endpoints: []string{"edge.example:7000"}})
	if len(r.dials) != 2 || r.dials[1] != "edge.example:7000" {
		t.Fatalf("dials %v", r.dials)
	}
	waits := time.Duration(0)
	for range 20 {
		r.connected()
		r.goAway(codec.GoAwayMessage{Code: codec.CodeDraining})
		r.wantState(StateReady)
		waits += r.l.Info().NextAttempt - r.now
		r.now = r.l.Info().NextAttempt
		r.l.Tick(r.now, &r.out)
		r.l.heartbeat.pongDue, r.l.heartbeat.heard = 0, r.now // it answers PINGs
		r.settle()
	}
	if waits < 2*time.Minute {
		t.Errorf("20 refusals within %v: the link spins", waits)
	}
}

// Two nodes that drain into each other must not make a client spin.
func TestMovesInARowAreBackedOff(t *testing.T) {
	r := newRig(t, Config{Endpoints: twoNodes, BackoffMin: 10 * time.Second, Policy: Fixed})
	r.ready(testTerms)
	for range trusted + 1 {
		r.goAway(codec.GoAwayMessage{Code: codec.CodeDraining})
		if wait := r.l.Info().NextAttempt - r.now; wait > 0 {
			if len(r.dials) != trusted+1 || wait != 10*time.Second {
				t.Errorf("after %d dials a wait of %v", len(r.dials), wait)
			}
			return
		}
		r.l.Tick(r.now, &r.out)
		r.settle()
		r.connected()
		r.welcome(codec.WelcomeMessage{Terms: testTerms})
		r.finishOld()
	}
	t.Errorf("dials %v without a wait", r.dials)
}
