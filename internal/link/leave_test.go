package link

import (
	"slices"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

// moved is a session that has moved from attempt 1 to 2.
func moved(t *testing.T) *rig {
	r := draining(t, Config{})
	r.connected()
	r.welcome(codec.WelcomeMessage{Terms: testTerms, Node: []byte("n2")})
	return r
}

// bye goes on until BYE is said on attempt 1, or for two minutes, and returns when. each is
// called before every look, which comes when the link wants it, and second by second.
func (r *rig) bye(each func(since time.Duration)) time.Duration {
	r.t.Helper()
	began := r.now
	for r.now-began < 2*time.Minute && !slices.Contains(r.written(1), codec.Bye) {
		r.now = min(r.now+time.Second, max(r.now, r.l.Deadline()))
		each(r.now - began)
		r.look()
		r.l.Tick(r.now, &r.out)
		r.settle()
		if r.l.heartbeat.waiting() {
			r.answer2()
		}
	}
	return r.now - began
}

func (r *rig) answer2() {
	r.from(2, codec.AppendPong(nil, codec.PongMessage{Token: r.l.heartbeat.token, Terms: testTerms}))
}

// What was sent before a move is said before BYE, however slow the link is.
func TestWhatWaitsAtTheMoveIsWrittenBeforeBye(t *testing.T) {
	for name, c := range map[string]struct {
		each      func(r *rig, since time.Duration)
		low, high time.Duration
	}{
		"all is read at once": {func(r *rig, since time.Duration) {
			if !r.l.leave.answered {
				r.answerOld()
			}
		}, time.Second, 2 * time.Second},
		"60000 bytes at 3000 a second": {func(r *rig, since time.Duration) {
			r.flow = Flow{Untaken: max(0, 60000-3000*int(since/time.Second))}
			if since >= 21*time.Second && !r.l.leave.answered {
				r.answerOld()
			}
		}, 22 * time.Second, 24 * time.Second},
		"60000 bytes at 3000 a second, and PONGs that nobody asked for": {func(r *rig, since time.Duration) {
			r.flow = Flow{Untaken: max(0, 60000-3000*int(since/time.Second))}
			if since < 20*time.Second {
				r.from(1, codec.AppendPong(nil, codec.PongMessage{Terms: testTerms}))
			} else if since >= 21*time.Second && !r.l.leave.answered {
				r.answerOld()
			}
		}, 22 * time.Second, 24 * time.Second},
		"taken, and read late": {func(r *rig, since time.Duration) {
			if since >= 6*time.Second && !r.l.leave.answered {
				r.answerOld()
			}
		}, 7 * time.Second, 8 * time.Second},
		"taken, and never read":       {func(*rig, time.Duration) {}, 10 * time.Second, 12 * time.Second},
		"nothing is taken any more":   {func(r *rig, _ time.Duration) { r.flow = Flow{Untaken: 60000} }, 10 * time.Second, 13 * time.Second},
		"a kilobyte every 10 seconds": {func(r *rig, s time.Duration) { r.flow = Flow{Untaken: 60000 - 1000*int(s/leastTime)} }, 10 * time.Second, 24 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			r := moved(t)
			if took := r.bye(func(since time.Duration) { c.each(r, since) }); took < c.low || took > c.high {
				t.Errorf("BYE after %v, want %v to %v", took, c.low, c.high)
			}
			r.wantState(StateReady)
			r.tick()
			if !slices.Contains(r.closed, 1) || r.l.leave != nil {
				t.Errorf("closed %v, want the old connection", r.closed)
			}
			if info := r.l.Info(); info.Losses != 0 || info.Pings < info.Pongs {
				t.Errorf("Info = %+v", info)
			}
		})
	}
}

// The next node drains as well, and the old connection has still something to say.
func TestAnotherHandoverWaitsForTheOldConnection(t *testing.T) {
	r := moved(t)
	r.goAway(codec.GoAwayMessage{Code: codec.CodeDraining})
	if info := r.l.Info(); !info.Moving || len(r.dials) != 2 || info.NextAttempt == Never {
		t.Fatalf("Info = %+v, dials %v, want to move when the old connection is done", info, r.dials)
	}
	took := r.bye(func(since time.Duration) {
		r.flow = Flow{Untaken: max(0, 60000-3000*int(since/time.Second))}
		if since >= 21*time.Second && !r.l.leave.answered {
			r.answerOld()
		}
	})
	if took < 20*time.Second || len(r.dials) != 2 || len(r.closed) != 0 {
		t.Fatalf("BYE after %v, dials %v, closed %v", took, r.dials, r.closed)
	}
	r.tick()
	if len(r.dials) != 3 || !slices.Contains(r.closed, 1) {
		t.Fatalf("dials %v, closed %v, want the next node", r.dials, r.closed)
	}
	r.connected()
	r.welcome(codec.WelcomeMessage{Terms: testTerms, Node: []byte("n3")})
	if r.l.Attempt() != 3 || r.l.Info().Losses != 0 {
		t.Errorf("Info = %+v", r.l.Info())
	}
}

// The session ends while two things wait for each other.
func TestLossWhileAnotherHandoverWaits(t *testing.T) {
	r := moved(t)
	r.goAway(codec.GoAwayMessage{Code: codec.CodeDraining})
	r.l.Disconnected(r.now, 2, errReset, &r.out)
	r.settle()
	r.wantState(StateBackingOff)
	r.answerOld()
	r.tick()
	r.tick()
	r.tick()
	if info := r.l.Info(); info.Moving || info.State != StateConnecting || len(r.dials) != 3 {
		t.Errorf("Info = %+v, dials %v, want an attempt", info, r.dials)
	}
}
