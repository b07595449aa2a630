package link

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

// granted begins a session that may last so long.
func (r *rig) granted(left time.Duration) {
	r.t.Helper()
	r.start()
	r.connected()
	r.welcome(codec.WelcomeMessage{Terms: testTerms, Expires: left})
	r.wantState(StateReady)
}

// extended is a PONG that nobody asked for, with another end.
func (r *rig) extended(left time.Duration) {
	r.t.Helper()
	r.receive(codec.AppendPong(nil, codec.PongMessage{Terms: testTerms, Expires: left}))
}

// expiring lives, with a server that answers, until the link asks for a token, and returns when
// that was; Never if it does not within a day.
func (r *rig) expiring(limit time.Duration) time.Duration {
	r.t.Helper()
	before := r.count(Expiring)
	for end := r.now + limit; r.now < end; {
		pings := r.count(PingSent)
		if r.tick(); r.count(Expiring) > before {
			return r.now
		}
		if r.count(PingSent) > pings {
			r.answer(testTerms)
		}
	}
	return Never
}

func fresh() Config { return Config{FreshTokens: true} }

// credentials are the tokens that were written in PINGs.
func (r *rig) credentials() (all [][]byte) {
	for _, f := range r.frames {
		if f.Type == codec.Ping {
			if token := codec.Renewal(f.Payload); len(token) > 0 {
				all = append(all, token)
			}
		}
	}
	return all
}

func TestATokenIsAskedForWithinTheLastThird(t *testing.T) {
	const grant = time.Hour
	low, high := sample(t, 300, fresh(), func(r *rig) time.Duration {
		r.granted(grant)
		began := r.now
		asked := r.expiring(grant)
		if e, _ := r.last(Expiring); e.At != began+grant || e.Attempt != r.attempt() {
			t.Fatalf("Expiring %+v, want the end %v and attempt %d", e, began+grant, r.attempt())
		}
		return asked - began
	})
	if low < grant*7/10 || high > grant*9/10 || high-low < grant*19/100 {
		t.Errorf("asked for between %v and %v, want U(42m, 54m)", low, high)
	}
}

func TestNobodyIsAskedForATokenWithoutAnEndOrASource(t *testing.T) {
	for name, c := range map[string]struct {
		cfg  Config
		left time.Duration
	}{
		"no end":       {fresh(), 0},
		"never":        {fresh(), codec.NeverExpires},
		"292 years":    {fresh(), codec.NeverExpires - time.Millisecond},
		"no source":    {Config{}, time.Hour},
		"a short time": {fresh(), time.Second}, // it is over before there could be another
	} {
		r := newRig(t, c.cfg)
		r.granted(c.left)
		if at, none := r.l.Info().Expires, c.left <= 0 || c.left > 24*time.Hour; (at == 0) != none {
			t.Errorf("%s: it ends at %v", name, at)
		}
		if at := r.expiring(2 * time.Hour); at != Never {
			t.Errorf("%s: asked for a token", name)
		}
	}
}

func TestATokenGoesInAPINGAtOnceAndItsAnswerMovesTheEnd(t *testing.T) {
	r := newRig(t, fresh())
	r.granted(time.Hour)
	asked := r.expiring(time.Hour)
	if err := r.l.Renew(r.now, r.attempt(), []byte("second"), &r.out); err != nil {
		t.Fatal(err)
	}
	r.settle()
	if got := r.credentials(); len(got) != 1 || string(got[0]) != "second" {
		t.Fatalf("tokens %q, want one", got)
	}
	r.answer(testTerms)
	r.extended(time.Hour)
	if got := r.l.Info().Expires; got != asked+time.Hour {
		t.Errorf("it ends at %v, want %v", got, asked+time.Hour)
	}
	if again := r.expiring(2 * time.Hour); again < asked+42*time.Minute || again > asked+54*time.Minute {
		t.Errorf("asked for the next after %v, want U(42m, 54m)", again-asked)
	}
}

// Nobody may have answered: the source failed, the authenticator did, the node refused, or had
// another under way.
func TestATokenIsAskedForAgainUntilTheEnd(t *testing.T) {
	r := newRig(t, fresh())
	r.granted(time.Hour)
	end := r.now + time.Hour
	asks := 0
	for at := r.expiring(2 * time.Hour); at != Never; at = r.expiring(2 * time.Hour) {
		asks++
		if at >= end {
			t.Fatalf("asked for at %v, the grant ended at %v", at, end)
		}
	}
	if asks < 3 || asks > 10 {
		t.Errorf("asked %d times, want a few", asks)
	}
}

// Whatever a server tells, its clients do not ask their source without a pause.
func TestAServerCannotMakeASourceSpin(t *testing.T) {
	r := newRig(t, fresh())
	r.granted(2 * time.Second)
	began := r.now
	for asked := 0; r.now < began+time.Minute; r.now += 10 * time.Millisecond {
		if r.l.Deadline() <= r.now {
			r.l.Tick(r.now, &r.out)
			r.settle()
		}
		if n := r.count(Expiring); n > asked { // each token is answered by an end that is about to come
			asked = n
			r.extended(1100 * time.Millisecond)
		}
	}
	if asked := r.count(Expiring); asked > 60 || asked < 30 {
		t.Errorf("asked %d times in a minute, want one a second at most", asked)
	}
}

// A PING under way keeps its deadline: a token does not put off the end of a dead server.
func TestATokenDoesNotPutOffTheWaitForAPong(t *testing.T) {
	r := newRig(t, fresh())
	r.granted(time.Hour)
	r.tick() // PING
	due := r.l.heartbeat.pongDue
	r.now += 5 * time.Second
	r.l.Renew(r.now, r.attempt(), []byte("second"), &r.out)
	r.settle()
	if r.l.heartbeat.pongDue != due || len(r.credentials()) != 1 {
		t.Errorf("the answer is due at %v with %d tokens written, want %v and 1", r.l.heartbeat.pongDue, len(r.credentials()), due)
	}
	r.until(func() bool { return r.l.State() != StateReady })
	if r.now > due+time.Second {
		t.Errorf("lost at %v, want at %v", r.now, due)
	}
}

func TestATokenThatComesLateIsForNobody(t *testing.T) {
	for name, end := range map[string]func(r *rig){
		"lost":    func(r *rig) { r.disconnected(errors.New("gone"), false) },
		"stopped": func(r *rig) { r.l.Stop(r.now, &r.out); r.settle() },
		"again": func(r *rig) {
			r.disconnected(errors.New("gone"), false)
			r.ready(testTerms)
		},
		"moved": func(r *rig) {
			r.goAway(codec.GoAwayMessage{Code: codec.CodeDraining})
			r.until(func() bool { return r.l.conns[1].attempt != 0 })
			r.connected()
			r.welcome(codec.WelcomeMessage{Terms: testTerms})
		},
	} {
		cfg := fresh()
		cfg.Endpoints = twoNodes
		r := newRig(t, cfg)
		r.granted(time.Hour)
		r.expiring(time.Hour)
		e, _ := r.last(Expiring)
		end(r)
		if err := r.l.Renew(r.now, e.Attempt, []byte("late"), &r.out); err != nil || len(r.out.Actions) > 0 {
			t.Errorf("%s: %v, and %d actions; want none", name, err, len(r.out.Actions))
		}
		r.settle()
		if at := r.l.renewDue(); at != Never {
			t.Errorf("%s: it still wants to ask at %v, for the grant of a session that is over", name, at)
		}
	}
}

func TestATokenOutOfBoundsIsAnError(t *testing.T) {
	r := newRig(t, fresh())
	r.granted(time.Hour)
	err := r.l.Renew(r.now, r.attempt(), bytes.Repeat([]byte("x"), codec.MaxToken+1), &r.out)
	if !errors.Is(err, ErrToken) || len(r.out.Actions) > 0 || !strings.Contains(err.Error(), "4097") {
		t.Errorf("%v, and %d actions", err, len(r.out.Actions))
	}
	if err := r.l.Renew(r.now, r.attempt(), nil, &r.out); err != nil || len(r.out.Actions) > 0 {
		t.Errorf("no token: %v, and %d actions; want nothing", err, len(r.out.Actions))
	}
	if err := r.l.Renew(r.now, r.attempt(), bytes.Repeat([]byte("x"), codec.MaxToken), &r.out); err != nil || len(r.out.Actions) == 0 {
		t.Errorf("the longest token: %v, and %d actions", err, len(r.out.Actions))
	}
}
