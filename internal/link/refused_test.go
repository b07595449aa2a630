package link

import (
	"errors"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

// The promise: nothing but these ends a client.
func TestOnlyTheseCodesStopTheLink(t *testing.T) {
	for code := codec.Code(2990); code < 4010; code++ {
		for _, ready := range []bool{false, true} {
			for _, fresh := range []bool{false, true} {
				r := newRig(t, Config{FreshTokens: fresh})
				r.start()
				r.connected()
				if ready {
					r.welcome(codec.WelcomeMessage{Terms: testTerms})
				}
				r.goAway(codec.GoAwayMessage{Code: code, Reason: []byte("because")})
				want := code == codec.CodeReplaced || ready && code >= 3900 && code <= 3999 || code == codec.CodeTokenExpired && !fresh
				if got := r.l.State() == StateStopped; got != want {
					t.Fatalf("%d, ready %v, fresh tokens %v: stopped %v, want %v", code, ready, fresh, got, want)
				}
				var ce *CodeError
				if err := r.l.Info().LastError; code != codec.CodeDraining && (!errors.As(err, &ce) || ce.Code != code || ce.Reason != "because") {
					t.Fatalf("%d: LastError = %v", code, err)
				}
				if !want {
					continue
				}
				if e, _ := r.last(Stopped); !errors.As(e.Err, &ce) || ce.Code != code {
					t.Fatalf("%d: Stopped = %+v", code, e)
				}
				if g, ok := r.last(GoneAway); !ok || g.Code != code || len(r.closed) != 1 || r.l.Deadline() != Never {
					t.Fatalf("%d: GoneAway = %+v, closed %v, deadline %v", code, g, r.closed, r.l.Deadline())
				}
			}
		}
	}
}

// One node with another version or secret must not cost a client its nine good ones, whatever
// delay it names.
func TestABadNodeIsLeftForTheGoodOnes(t *testing.T) {
	for _, code := range []codec.Code{codec.CodeProtocolError, codec.CodeFrameTooLarge, codec.CodeVersion, codec.CodeUnauthorized, 3600, 3999} {
		r := newRig(t, Config{Endpoints: []string{"10.0.0.1:1", "10.0.0.2:1"}})
		r.start()
		r.connected()
		r.goAway(codec.GoAwayMessage{Code: code, Delay: time.Hour, Window: time.Hour})
		if wait := r.wait(); wait != 0 {
			t.Errorf("%d: a wait of %v", code, wait)
		}
		if r.l.Info().Refused {
			t.Errorf("%d: refused by all, says Info", code)
		}
		r.tick()
		if r.dials[0] == r.dials[1] {
			t.Errorf("%d: dials %v", code, r.dials)
		}
		if wait := r.l.penalisedUntil(r.dials[0]) - r.now; wait < 2*time.Minute {
			t.Errorf("%d: avoided for %v", code, wait)
		}
	}
}

func TestWhoIsRefusedByAllComesSeldom(t *testing.T) {
	for name, cfg := range map[string]Config{"one": {}, "two": {Endpoints: []string{good, "10.0.0.2:1"}}, "one without a way": {Endpoints: []string{good, noRoute}}} {
		highest := make([]time.Duration, 9)
		for seed := range 200 {
			r := newRig(t, cfg)
			r.l.rng = rng(seed)
			r.start()
			for i := range highest {
				var wait time.Duration
				for wait == 0 { // at once, to the others
					if r.dials[len(r.dials)-1] == noRoute {
						r.disconnected(errNoRoute, false)
					} else {
						r.connected()
						r.goAway(codec.GoAwayMessage{Code: codec.CodeUnauthorized})
					}
					if wait = r.wait(); wait == 0 {
						r.tick()
					}
				}
				highest[i] = max(highest[i], wait)
				if !r.l.Info().Refused {
					t.Fatal("Info does not say that all refuse")
				}
				r.tick()
			}
		}
		for i, high := range highest {
			want := min(time.Minute<<i, time.Hour)
			if high > want || high < want*9/10 {
				t.Errorf("%s: wait %d is up to %v, want U(0, %v)", name, i, high, want)
			}
		}
	}
}

func TestRefusalsEndWithAStableSession(t *testing.T) {
	r := newRig(t, Config{})
	r.start()
	for range 5 {
		r.connected()
		r.goAway(codec.GoAwayMessage{Code: codec.CodeVersion})
		r.tick()
	}
	stable(r)
	if r.l.Info().Refused {
		t.Errorf("%+v", r.l.Info())
	}
	r.disconnected(errReset, false)
	if wait := r.wait(); wait > testTerms.Window || r.l.retry.lost.refusals != 0 {
		t.Errorf("the next loss waits %v, %d refusals", wait, r.l.retry.lost.refusals)
	}
}

// A node that crashed a moment ago may be back sooner than the one that refuses is mended.
func TestADeadNodeIsNotOneThatRefuses(t *testing.T) {
	r := newRig(t, Config{Endpoints: []string{good, "10.0.0.2:1"}})
	r.start()
	r.disconnected(errReset, false)
	r.tick()
	r.connected()
	r.goAway(codec.GoAwayMessage{Code: codec.CodeUnauthorized})
	if wait := r.wait(); wait > 3*time.Second || r.l.Info().Refused {
		t.Errorf("a wait of %v", wait)
	}
}

// What a name's addresses say is what the name says, if they agree.
func TestANameRefusesWhenAllItsAddressesDo(t *testing.T) {
	for name, c := range map[string]struct {
		other error // of the other address; nil: refuses too
		want  bool
	}{
		"both":                  {nil, true},
		"no way to the other":   {errNoRoute, true},
		"the other one is dead": {errReset, false},
	} {
		n := names{edge: addresses("10.0.0.1:1", "10.0.0.2:1")}
		r := newRig(t, Config{Endpoints: []string{edge}})
		r.start()
		r.resolve(n)
		for _, err := range []error{c.other, nil} {
			if err != nil {
				r.disconnected(err, false)
			} else {
				r.connected()
				r.goAway(codec.GoAwayMessage{Code: codec.CodeVersion})
			}
			if r.l.retry.at == r.now {
				r.tick()
				r.resolve(n)
			}
		}
		if got := r.l.Info().Refused; got != c.want {
			t.Errorf("%s: Refused %v", name, got)
		}
	}
}

// The next node's word costs no session: that one lives.
func TestNoCodeOfTheNextServerEndsTheSession(t *testing.T) {
	for _, code := range []codec.Code{codec.CodeProtocolError, codec.CodeVersion, codec.CodeUnauthorized, codec.CodeReplaced, 3950, codec.CodeTokenExpired, codec.CodeInUse} {
		r := draining(t, Config{})
		for range 5 {
			r.connected()
			r.goAway(codec.GoAwayMessage{Code: code})
			r.wantState(StateReady)
			for r.l.conns[1].attempt == 0 {
				r.tick()
				r.from(1, codec.AppendPong(nil, codec.PongMessage{Token: r.l.heartbeat.token, Terms: testTerms}))
			}
		}
		r.connected()
		r.welcome(codec.WelcomeMessage{Terms: testTerms})
		if info := r.l.Info(); r.count(Moved) != 1 || info.Losses != 0 || r.now-time.Hour < time.Second {
			t.Errorf("%s: moved %d times, Info = %+v", code, r.count(Moved), info)
		}
	}
}

// A name that leads to the node that drains, which is of no use to anybody any more.
func TestARefusalInAHandoverHoldsNothingUp(t *testing.T) {
	for seed := range 50 {
		r := newRig(t, Config{})
		r.l.rng = rng(seed)
		r.ready(testTerms)
		r.goAway(codec.GoAwayMessage{Code: codec.CodeDraining})
		r.now = r.l.nextDeadline()
		r.l.tickNext(r.now, 0, &r.out)
		r.settle()
		r.connected()
		r.goAway(codec.GoAwayMessage{Code: codec.CodeVersion})
		if wait := r.l.Info().NextAttempt - r.now; wait > 10*time.Second {
			t.Fatalf("seed %d: a wait of %v", seed, wait)
		}
	}
}

func TestInUseWaitsForTheOldSessionsEnd(t *testing.T) {
	r := newRig(t, Config{Endpoints: []string{good, "10.0.0.2:1"}})
	r.start()
	for range trusted {
		r.connected()
		r.goAway(codec.GoAwayMessage{Code: codec.CodeInUse, Delay: 70 * time.Second})
		if wait := r.wait(); wait != 70*time.Second {
			t.Errorf("a wait of %v", wait)
		}
		r.l.NetworkChanged(r.now, &r.out)
		r.tick()
		if last := len(r.dials) - 1; r.dials[last] != r.dials[0] {
			t.Errorf("dials %v", r.dials)
		}
	}
}

func TestAlternatesAreIgnoredOnRequest(t *testing.T) {
	r := newRig(t, Config{IgnoreAlternates: true})
	r.start()
	r.connected()
	r.welcome(codec.WelcomeMessage{Terms: testTerms, Alternates: []byte("10.0.0.2:7000")})
	r.goAway(codec.GoAwayMessage{Code: codec.CodeFull, Alternates: []byte("10.0.0.3:7000")})
	for range 20 {
		r.tick()
		r.disconnected(errReset, false)
	}
	for _, addr := range r.dials {
		if addr != good {
			t.Fatalf("went to %s", addr)
		}
	}
}

func TestPenaltiesHaveACap(t *testing.T) {
	r := newRig(t, Config{})
	r.start()
	for range 50 {
		r.disconnected(errReset, false)
		if d := r.l.penalisedUntil(good) - r.now; d > maxPenalty || d < time.Minute {
			t.Fatalf("avoided for %v", d)
		}
		r.l.retry.at = r.now
		r.tick()
	}
	if d := r.l.penalisedUntil(good) - r.now; d < maxPenalty-time.Second {
		t.Errorf("avoided for %v after fifty faults, want %v", d, maxPenalty)
	}
}

// Terms are a stranger's word.
func TestAbsurdTermsAreClamped(t *testing.T) {
	const most = time.Duration(math.MaxUint32) * time.Millisecond
	for name, terms := range map[string]codec.Terms{
		"zeros":                          {},
		"maxima":                         {Interval: most, Timeout: most, Window: most, Patience: most, Number: math.MaxUint16},
		"a timeout below the interval":   {Interval: time.Minute, Timeout: time.Second},
		"a timeout of a millisecond":     {Interval: most, Timeout: time.Millisecond, Window: most},
		"an interval of a millisecond":   {Interval: time.Millisecond, Patience: most},
		"patience without anything else": {Patience: most},
	} {
		for _, how := range []string{"WELCOME", "PONG"} {
			_, high := sample(t, 100, Config{}, func(r *rig) time.Duration {
				if how == "WELCOME" {
					r.ready(terms)
				} else {
					r.ready(testTerms)
					r.receive(codec.AppendPong(nil, codec.PongMessage{Terms: terms}))
				}
				if r.l.heartbeat.waiting() { // it tells that it has heard
					r.answer(terms)
				}
				began := r.now
				for range 3 {
					was := r.now
					r.tick()
					if d := r.now - was; d > maxWait || d < minInterval*4/5 {
						t.Fatalf("%s by %s: a PING after %v", name, how, d)
					}
					if d := r.l.heartbeat.pongDue - r.now; d > maxPongTimeout || d < time.Second {
						t.Fatalf("%s by %s: %v for the answer", name, how, d)
					}
					r.answer(terms)
				}
				r.now = max(r.now, began+2*time.Minute) // stable
				r.disconnected(errReset, false)
				if d := r.l.penalisedUntil(good) - r.now; d > maxPenalty {
					t.Fatalf("%s by %s: avoided for %v", name, how, d)
				}
				return r.wait()
			})
			if high > maxWait || terms.Window > maxWait && high < maxWait/2 {
				t.Errorf("%s by %s: waits up to %v, want %v at most", name, how, high, maxWait)
			}
		}
	}
}

func TestAnUnknownCodeHasItsRangesAdvice(t *testing.T) {
	for code, here := range map[codec.Code]bool{3180: true, 3480: false, 3580: false, 4500: true, 17: true} {
		r := newRig(t, Config{Endpoints: []string{good, "10.0.0.2:1"}})
		r.start()
		r.connected()
		r.goAway(codec.GoAwayMessage{Code: code})
		r.tick()
		if got := r.dials[0] == r.dials[1]; got != here {
			t.Errorf("%d: %s", code, fmt.Sprint(r.dials))
		}
	}
}

// A session at a node proves that it refuses nobody any more.
func TestAWelcomeEndsWhatWasRemembered(t *testing.T) {
	for name, n := range map[string]names{"literal": nil, "name": {edge: addresses("10.0.0.1:1")}} {
		r := newRig(t, Config{})
		if n != nil {
			r = newRig(t, Config{Endpoints: []string{edge}})
		}
		resolve := func() {
			if n != nil {
				r.resolve(n)
			}
		}
		r.start()
		resolve()
		r.connected()
		r.goAway(codec.GoAwayMessage{Code: codec.CodeVersion})
		if !r.l.Info().Refused {
			t.Fatalf("%s: not refused", name)
		}
		r.tick()
		resolve()
		r.connected()
		r.welcome(codec.WelcomeMessage{Terms: testTerms})
		r.now += time.Second
		r.disconnected(errors.New("here"), true)
		if r.l.Info().Refused || !r.l.anyFree(r.now) || len(*r.l.penalties) != 0 {
			t.Errorf("%s: %+v, penalties %v", name, r.l.Info(), *r.l.penalties)
		}
	}
}

// What refused a client before its long session may be mended since.
func TestARefusalBeforeTheSessionIsForgotten(t *testing.T) {
	const other = "10.0.0.2:1"
	r := newRig(t, Config{Endpoints: []string{good, other}})
	r.start()
	r.connected()
	r.goAway(codec.GoAwayMessage{Code: codec.CodeVersion})
	first := r.dials[0]
	r.ready(testTerms)
	home := r.dials[1]
	r.now += 5 * time.Hour
	r.disconnected(errors.New("here"), true)
	if r.l.Info().Refused {
		t.Error("refused by all, says Info")
	}
	r.l.retry.here = true
	r.tick()
	if at := r.dials[2]; at != home || home == first {
		t.Fatalf("dials %v", r.dials)
	}
	r.connected()
	r.goAway(codec.GoAwayMessage{Code: codec.CodeUnauthorized})
	if wait := r.wait(); wait > 0 || r.l.Info().Refused {
		t.Errorf("a wait of %v, refused %v, though %s may be mended", wait, r.l.Info().Refused, first)
	}
}
