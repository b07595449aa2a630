package link

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

var errReset = errors.New("connection reset")

// stable has a session that is old enough to forget the attempts before it.
func stable(r *rig) {
	r.ready(testTerms)
	r.now += 2 * time.Minute
}

func TestFirstWaitAfterALoss(t *testing.T) {
	goAway := func(m codec.GoAwayMessage) func(*rig) {
		return func(r *rig) { r.goAway(m) }
	}
	lost := func(local bool) func(*rig) { return func(r *rig) { r.disconnected(errReset, local) } }
	two := []string{"10.0.0.1:1", "10.0.0.2:1"}
	s := time.Second
	for _, c := range []struct {
		name      string
		cfg       Config
		end       func(*rig)
		low, high time.Duration // the waits must fill this span and not leave it
	}{
		{"broken connection", Config{}, lost(false), 0, 60 * s},
		{"network unreachable", Config{}, lost(true), 0, s},
		{"session's own fault", Config{}, goAway(codec.GoAwayMessage{Code: codec.CodeHeartbeatTimeout}), 0, s},
		{"kicked", Config{}, goAway(codec.GoAwayMessage{Code: codec.CodeKicked}), 0, s},
		{"unknown code, return here", Config{}, goAway(codec.GoAwayMessage{Code: 3150}), 0, 60 * s},
		{"delay and window", Config{}, goAway(codec.GoAwayMessage{Code: codec.CodeShutdown, Delay: 5 * s, Window: 10 * s}), 5 * s, 15 * s},
		{"delay overrides a session's fault", Config{}, goAway(codec.GoAwayMessage{Code: codec.CodeRateLimit, Delay: 30 * s}), 30 * s, 30 * s},
		{"full, somewhere to go", Config{Endpoints: two}, goAway(codec.GoAwayMessage{Code: codec.CodeFull}), 0, 0},
		{"full, nowhere to go", Config{}, goAway(codec.GoAwayMessage{Code: codec.CodeFull}), 0, 60 * s},
		{"full, an alternate to go to", Config{}, goAway(codec.GoAwayMessage{Code: codec.CodeFull, Alternates: []byte("10.0.0.3:1")}), 0, 0},
		{"fresh token", Config{FreshTokens: true}, goAway(codec.GoAwayMessage{Code: codec.CodeTokenExpired}), 0, s},
		{"a delay of days", Config{}, goAway(codec.GoAwayMessage{Code: codec.CodeBusy, Delay: 1000 * time.Hour}), time.Hour, time.Hour},
		{"full jitter", Config{Policy: Full}, lost(false), 0, s / 2},
		{"equal jitter", Config{Policy: Equal}, lost(false), s / 4, s / 2},
		{"decorrelated jitter", Config{Policy: Decorrelated}, lost(false), s / 2, 3 * s / 2},
		{"fixed", Config{Policy: Fixed}, lost(false), s / 2, s / 2},
		{"exponential", Config{Policy: Exponential}, lost(false), s / 2, s / 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			low, high := sample(t, 400, c.cfg, func(r *rig) time.Duration { stable(r); c.end(r); return r.wait() })
			slack := (c.high - c.low) / 50
			if low < c.low || high > c.high || low > c.low+slack || high < c.high-slack {
				t.Errorf("waits %v to %v, want all of %v to %v", low, high, c.low, c.high)
			}
		})
	}
}

// Backoff that resets on connect feeds its own storm.
func TestBackoffOutlivesAShortSession(t *testing.T) {
	cfg := Config{Policy: Exponential}
	r := newRig(t, cfg)
	r.start()
	var waits []time.Duration
	for range 9 {
		r.disconnected(errReset, false)
		waits = append(waits, r.wait())
		r.tick()
	}
	want := []time.Duration{500, 500, 1000, 2000, 4000, 8000, 16000, 32000, 60000}
	for i := range want {
		if waits[i] != want[i]*time.Millisecond {
			t.Fatalf("waits %v, want %v ms", waits, want)
		}
	}
	r.ready(testTerms)
	r.now += 59 * time.Second
	r.disconnected(errReset, false)
	if w := r.wait(); w != time.Minute {
		t.Errorf("wait %v after a session of 59s, want the backoff to go on at 1m", w)
	}
	r.ready(testTerms)
	r.now += time.Minute
	r.disconnected(errReset, false)
	if w := r.wait(); w != 500*time.Millisecond {
		t.Errorf("wait %v after a session of 1m, want 500ms", w)
	}
}

// A loss before the session was stable takes the larger of the two draws.
func TestUnstableLossTakesTheLargerDraw(t *testing.T) {
	low, _ := sample(t, 300, Config{BackoffMin: 20 * time.Second}, func(r *rig) time.Duration {
		r.start()
		r.disconnected(errReset, false)
		r.ready(codec.Terms{Interval: time.Second, Window: time.Nanosecond * 1e6})
		r.disconnected(errReset, false)
		return r.wait()
	})
	_, high := sample(t, 300, Config{BackoffMin: 20 * time.Second}, func(r *rig) time.Duration {
		r.start()
		r.disconnected(errReset, false)
		r.ready(codec.Terms{Interval: time.Second, Window: time.Millisecond})
		r.disconnected(errReset, false)
		return r.wait()
	})
	if high < 15*time.Second {
		t.Errorf("waits up to %v, want the backoff's up to 20s", high)
	}
	_, high = sample(t, 300, Config{BackoffMin: time.Millisecond}, func(r *rig) time.Duration {
		r.start()
		r.disconnected(errReset, false)
		r.ready(testTerms)
		r.disconnected(errReset, false)
		return r.wait()
	})
	if high < 55*time.Second || low < 0 {
		t.Errorf("waits up to %v, want the window's up to 60s", high)
	}
}

func TestBusyWaitsItsSlotHereWithItsTicket(t *testing.T) {
	cfg := Config{Endpoints: []string{"10.0.0.1:1", "10.0.0.2:1", "10.0.0.3:1"}}
	for seed := range 20 {
		r := newRig(t, cfg)
		r.l.rng = rng(seed)
		r.start()
		r.connected()
		r.goAway(codec.GoAwayMessage{Code: codec.CodeBusy, Delay: 3 * time.Second, Ticket: []byte("slot 17")})
		if w := r.wait(); w != 3*time.Second {
			t.Fatalf("wait %v, want 3s", w)
		}
		r.l.NetworkChanged(r.now, &r.out)
		if w := r.wait(); w != 3*time.Second {
			t.Errorf("NetworkChanged cut the slot to %v", w)
		}
		r.tick()
		if r.dials[0] != r.dials[1] {
			t.Fatalf("went to %s with a ticket of %s", r.dials[1], r.dials[0])
		}
		r.connected()
		hello, err := codec.ParseHello(r.frames[len(r.frames)-1].Payload)
		if err != nil || string(hello.Ticket) != "slot 17" {
			t.Fatalf("HELLO carries ticket %q, %v", hello.Ticket, err)
		}
		r.welcome(codec.WelcomeMessage{Terms: testTerms})
		r.disconnected(errReset, false)
		r.tick()
		r.connected()
		hello, err = codec.ParseHello(r.frames[len(r.frames)-1].Payload)
		if err != nil || len(hello.Ticket) != 0 {
			t.Fatalf("the next HELLO carries ticket %q again, %v", hello.Ticket, err)
		}
	}
}

func TestReturnPassIsPresentedAfterALoss(t *testing.T) {
	r := newRig(t, Config{})
	r.start()
	r.connected()
	r.welcome(codec.WelcomeMessage{Terms: testTerms, ReturnPass: []byte("secret")})
	r.disconnected(errReset, false)
	r.tick()
	r.connected()
	hello, err := codec.ParseHello(r.frames[len(r.frames)-1].Payload)
	if err != nil || string(hello.ReturnPass) != "secret" {
		t.Errorf("HELLO carries %q, %v", hello.ReturnPass, err)
	}
}

// Two nodes that call each other the better place, or one that always says "now".
func TestOrdersCanNotMakeAClientSpin(t *testing.T) {
	for name, m := range map[string]codec.GoAwayMessage{
		"elsewhere": {Code: codec.CodeFull},
		"at once":   {Code: codec.CodeBusy, Window: time.Millisecond, Ticket: []byte("t")},
		"kicked":    {Code: codec.CodeKicked},
		"new names": {Code: codec.CodeFull},
	} {
		r := newRig(t, Config{Endpoints: []string{"10.0.0.1:1", "10.0.0.2:1"}})
		r.start()
		began, late := r.now, time.Duration(0)
		for i := range 100 {
			if i == 90 {
				late = r.now
			}
			r.connected()
			if name == "new names" { // an endless list of fresh endpoints
				m.Alternates = fmt.Appendf(nil, "10.0.1.%d:%d", i%10, 1+i/10)
			}
			r.goAway(m)
			r.tick()
		}
		if took := r.now - began; took < 8*time.Minute {
			t.Errorf("%s: 100 attempts in %v", name, took)
		}
		if took := r.now - late; took < 2*time.Minute {
			t.Errorf("%s: the last 10 of 100 attempts in %v", name, took)
		}
	}
}

// A client that knocked in vain while its node was away comes at the slot it then gets.
func TestRefusedConnectsDoNotCountAsOrders(t *testing.T) {
	r := newRig(t, Config{})
	r.ready(testTerms)
	for range 8 {
		r.disconnected(errReset, false)
		r.tick()
	}
	r.connected()
	r.goAway(codec.GoAwayMessage{Code: codec.CodeBusy, Delay: time.Second, Ticket: []byte("t")})
	if w := r.wait(); w != time.Second {
		t.Errorf("wait %v for a slot in 1s", w)
	}
}

func TestWaitsOfAnOutageFollowTheToldWindow(t *testing.T) {
	s := time.Second
	for _, c := range []struct {
		name      string
		cfg       Config
		window    time.Duration // 0: there was no session
		failures  int           // before the wait
		age       time.Duration
		low, high time.Duration
	}{
		{"first", Config{}, 10 * s, 0, 0, 0, 10 * s},
		{"second", Config{}, 10 * s, 1, s, 0, s / 2},
		{"third", Config{}, 10 * s, 2, s, 0, s},
		{"the step before the spread", Config{}, 10 * s, 5, s, 0, 8 * s},
		{"the spread", Config{}, 10 * s, 6, s, 5 * s, 15 * s},
		{"many failures later", Config{}, 10 * s, 90, 119 * s, 5 * s, 15 * s},
		{"a window near 0", Config{}, time.Millisecond, 20, s, 1250 * time.Millisecond, 3750 * time.Millisecond},
		{"never a session", Config{}, 0, 20, s, 1250 * time.Millisecond, 3750 * time.Millisecond},
		{"half old", Config{}, 10 * s, 90, 6 * time.Minute, 25 * s / 2, 75 * s / 2},
		{"old", Config{}, 10 * s, 90, 10 * time.Minute, 20 * s, 60 * s},
		{"older", Config{}, 10 * s, 90, 10 * time.Hour, 20 * s, 60 * s},
		{"a window of an hour", Config{}, time.Hour, 90, s, 20 * s, 60 * s},
		{"a small BackoffMax", Config{BackoffMax: 3 * s}, 10 * s, 90, s, s, 3 * s},
		{"a large BackoffMin", Config{BackoffMin: 20 * s}, 10 * s, 1, s, 10 * s, 30 * s},
		{"BackoffMax of an hour", Config{BackoffMax: time.Hour}, 10 * s, 90, 10 * time.Minute, 20 * time.Minute, time.Hour},
		{"full jitter knows no window", Config{Policy: Full}, 10 * s, 90, s, 0, time.Minute},
	} {
		t.Run(c.name, func(t *testing.T) {
			low, high := sample(t, 400, c.cfg, func(r *rig) time.Duration {
				if c.window > 0 {
					r.ready(codec.Terms{Window: c.window})
					r.now += 2 * time.Minute
				} else {
					r.start()
				}
				lost := r.now
				for range c.failures {
					r.disconnected(errReset, false)
					r.l.retry.at = r.now
					r.tick()
				}
				r.now = lost + c.age
				r.disconnected(errReset, false)
				return r.wait()
			})
			slack := (c.high - c.low) / 50
			if low < c.low || high > c.high || low > c.low+slack || high < c.high-slack {
				t.Errorf("waits %v to %v, want all of %v to %v", low, high, c.low, c.high)
			}
		})
	}
}

// The node's last word is newer than its terms.
func TestAWindowInGoAwayIsTheOutages(t *testing.T) {
	r := newRig(t, Config{})
	stable(r)
	r.goAway(codec.GoAwayMessage{Code: codec.CodeShutdown, Window: 7 * time.Second})
	if w := r.l.outageSpread(r.now); w != 7*time.Second {
		t.Errorf("spread %v, want 7s", w)
	}
	r = newRig(t, Config{})
	stable(r)
	r.goAway(codec.GoAwayMessage{Code: codec.CodeKicked, Window: 7 * time.Second})
	if w := r.l.Info().Terms.Window; w != testTerms.Window {
		t.Errorf("window %v after an order that concerns one session", w)
	}
}

// A node that takes clients in and drops them is still an outage: its waits grow with it.
func TestAShortSessionDoesNotEndAnOutage(t *testing.T) {
	low, _ := sample(t, 100, Config{}, func(r *rig) time.Duration {
		terms := codec.Terms{Window: 5 * time.Second}
		r.ready(terms)
		r.now += time.Minute
		lost := r.now
		for r.disconnected(errReset, false); r.now-lost < 10*time.Minute; r.disconnected(errReset, false) {
			r.ready(terms)
			r.now += 10 * time.Second
		}
		return r.wait()
	})
	if low < 20*time.Second {
		t.Errorf("a wait of %v after 10 min of short sessions, want 20s to 60s", low)
	}
}
