package link

import (
	"io"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

// announce is a PONG that nobody asked for.
func (r *rig) announce(terms codec.Terms) {
	r.t.Helper()
	r.receive(codec.AppendPong(nil, codec.PongMessage{Terms: terms}))
}

// applied is the number in the latest PING.
func (r *rig) applied() uint16 {
	r.t.Helper()
	for i := len(r.frames) - 1; i >= 0; i-- {
		if r.frames[i].Type == codec.Ping {
			_, number, err := codec.ParsePing(r.frames[i].Payload)
			if err != nil {
				r.t.Fatal(err)
			}
			return number
		}
	}
	r.t.Fatal("no PING")
	return 0
}

func numbered(number uint16, timeout, patience time.Duration) codec.Terms {
	return codec.Terms{Interval: timeout * 2 / 5, Timeout: timeout, Window: time.Minute, Patience: patience, Number: number}
}

func TestPingCarriesTheNumberOfTheTermsThatHold(t *testing.T) {
	r := newRig(t, Config{Endpoints: twoNodes})
	r.ready(numbered(7, 75*time.Second, 0))
	r.tick()
	if got := r.applied(); got != 7 {
		t.Errorf("after WELCOME %d, want 7", got)
	}
	r.answer(numbered(8, 150*time.Second, 0))
	r.tick()
	if got := r.applied(); got != 8 {
		t.Errorf("after PONG %d, want 8", got)
	}
	r.announce(numbered(65535, 300*time.Second, 0))
	r.tick()
	if got := r.applied(); got != 65535 {
		t.Errorf("after an announcement %d, want 65535", got)
	}
	r.answer(numbered(1, 600*time.Second, 0)) // they wrap around
	r.goAway(codec.GoAwayMessage{Code: codec.CodeDraining})
	r.until(func() bool { return r.l.conns[1].attempt != 0 })
	r.connected()
	r.welcome(codec.WelcomeMessage{Terms: numbered(4, 75*time.Second, 0)})
	r.tick() // BYE on the old connection, or PING
	r.until(func() bool { return r.l.conns[1].attempt == 0 })
	r.l.Ping(r.now, &r.out)
	r.settle()
	if got := r.applied(); got != 4 {
		t.Errorf("after a move %d, want the new node's 4", got)
	}
}

func TestTighterTermsAreToldAtOnceAndLooserOnesAreNot(t *testing.T) {
	for _, c := range []struct {
		name     string
		old, new codec.Terms
		ping     bool
	}{
		{"shorter timeout", numbered(1, 75*time.Second, 0), numbered(2, 50*time.Second, 0), true},
		{"a timeout at all", codec.Terms{Number: 1}, numbered(2, 75*time.Second, 0), true},
		{"longer timeout", numbered(1, 50*time.Second, 0), numbered(2, 75*time.Second, 0), false},
		{"none any more", numbered(1, 50*time.Second, 0), codec.Terms{Number: 2}, false},
		{"patience alone", numbered(1, 75*time.Second, time.Minute), numbered(2, 75*time.Second, 0), false},
		{"interval alone", numbered(1, 75*time.Second, 0), codec.Terms{Interval: time.Second, Timeout: 75 * time.Second, Number: 2}, false},
		{"the same", numbered(1, 75*time.Second, 0), numbered(1, 75*time.Second, 0), false},
	} {
		for _, asked := range []bool{true, false} {
			r := newRig(t, Config{})
			r.ready(c.old)
			pings := 0
			if asked {
				r.tick()
				pings = 1
				r.answer(c.new)
			} else {
				r.now += time.Second
				r.announce(c.new)
			}
			if got := r.count(PingSent) - pings; (got == 1) != c.ping || got > 1 {
				t.Errorf("%s, asked %v: %d PINGs at once, want %v", c.name, asked, got, c.ping)
			}
			if c.ping && r.applied() != 2 {
				t.Errorf("%s, asked %v: it carries %d", c.name, asked, r.applied())
			}
		}
	}
}

// A server that has recovered shortens its terms step by step. It must not get a PING a
// round trip from every client.
func TestStepsOfTighterTermsAreNotAnsweredWithAPingEach(t *testing.T) {
	r := newRig(t, Config{})
	r.ready(numbered(1, 600*time.Second, 0))
	began := r.now
	for i := range uint16(200) {
		r.now += time.Millisecond
		r.announce(numbered(2+i, 600*time.Second-time.Duration(i+1)*time.Second, 0))
		if r.l.heartbeat.waiting() {
			r.now += time.Millisecond
			r.answer(r.l.Info().Terms)
		}
	}
	if n := r.count(PingSent); n != 1 {
		t.Errorf("%d PINGs within %v", n, r.now-began)
	}
	r.tick()
	if got := r.applied(); got != 201 {
		t.Errorf("the next one carries %d, want the latest", got)
	}
	r.answer(numbered(300, 100*time.Second, 0)) // an ordinary PING's answer: told at once again
	if got := r.applied(); got != 300 {
		t.Errorf("the next one carries %d, want 300", got)
	}
}

// What a PING told an earlier server is nothing to the next one.
func TestTheNextServerHearsOfTighterTermsAtOnce(t *testing.T) {
	r := newRig(t, Config{})
	r.ready(numbered(1, 75*time.Second, 0))
	r.announce(numbered(2, 50*time.Second, 0))
	r.disconnected(io.EOF, false)
	r.tick()
	r.connected()
	r.welcome(codec.WelcomeMessage{Version: codec.ProtocolVersion, Terms: numbered(1, 75*time.Second, 0)})
	pings := r.count(PingSent)
	r.now += time.Second
	r.announce(numbered(2, 50*time.Second, 0))
	if got := r.count(PingSent) - pings; got != 1 {
		t.Errorf("%d PINGs, want one that tells", got)
	}
}

func TestPongTimeoutIsTheServersPatienceAtLeast(t *testing.T) {
	s := time.Second
	for _, c := range []struct{ own, patience, want time.Duration }{
		{10 * s, 0, 10 * s},
		{10 * s, 3 * s, 10 * s},
		{10 * s, 40 * s, 40 * s},
		{10 * s, 1000 * s, 60 * s},
		{90 * s, 1000 * s, 90 * s},
	} {
		for name, told := range map[string]func(*rig, codec.Terms){
			"WELCOME":      func(r *rig, terms codec.Terms) { r.ready(terms); r.tick() },
			"PONG":         func(r *rig, terms codec.Terms) { r.ready(testTerms); r.tick(); r.answer(terms); r.tick() },
			"announcement": func(r *rig, terms codec.Terms) { r.ready(testTerms); r.announce(terms); r.tick() },
			"announcement, PING waiting": func(r *rig, terms codec.Terms) {
				r.ready(testTerms)
				r.tick()
				r.now += 9 * s
				r.announce(terms)
				r.tick()
			},
		} {
			r := newRig(t, Config{PongTimeout: c.own})
			terms := testTerms
			terms.Patience = c.patience
			told(r, terms)
			pinged := r.now
			for r.tick(); r.count(Lost) == 0; r.tick() {
				if r.now-pinged > time.Hour {
					t.Fatal("it is never lost")
				}
			}
			if e, _ := r.last(Lost); e.Reason != PongTimeout || r.now-pinged != c.want {
				t.Errorf("own %v, patience %v by %s: Lost = %+v after %v, want %v", c.own, c.patience, name, e, r.now-pinged, c.want)
			}
		}
	}
}

// Patience is less again: the next PING has the client's own time.
func TestPatienceOfTheServerEndsWithItsTerms(t *testing.T) {
	r := newRig(t, Config{})
	r.ready(numbered(1, 75*time.Second, time.Minute))
	r.tick()
	r.answer(numbered(2, 75*time.Second, 0))
	r.tick()
	if wait := r.l.heartbeat.pongDue - r.now; wait != 10*time.Second {
		t.Errorf("%v for the answer, want 10s", wait)
	}
}

func TestAnAnnouncementIsLife(t *testing.T) {
	r := newRig(t, Config{})
	r.ready(testTerms)
	r.tick()
	r.now = r.l.Deadline() - 1
	r.announce(testTerms)
	r.now += time.Second
	r.l.Tick(r.now, &r.out)
	r.settle()
	r.wantState(StateReady)
	if r.l.heartbeat.waiting() || r.l.heartbeat.answered {
		t.Errorf("%+v: it is life, but no answer", r.l.heartbeat)
	}
}

// What changes with every loss of another client draws no beat and costs no event.
func TestAWindowThatChangesIsNoOtherTerms(t *testing.T) {
	r := newRig(t, Config{})
	r.ready(testTerms)
	at := r.l.Deadline()
	terms := testTerms
	terms.Window = 7 * time.Second
	heard := r.l.heartbeat.heard
	r.announce(terms)
	if r.l.Deadline() != at || r.now != heard || r.count(Termed) != 0 || r.l.Info().Terms.Window != 7*time.Second {
		t.Errorf("deadline moved by %v, %d events, %+v", r.l.Deadline()-at, r.count(Termed), r.l.Info().Terms)
	}
}

// A client of its own mind about the interval gives it up while the server is late.
func TestOwnIntervalYieldsToAServerThatIsLate(t *testing.T) {
	r := newRig(t, Config{Endpoints: twoNodes, Interval: 20 * time.Second})
	usual := numbered(1, 75*time.Second, 0)
	late := numbered(2, 600*time.Second, time.Minute)
	for _, tt := range []struct {
		terms codec.Terms
		want  time.Duration
	}{{usual, 20 * time.Second}, {late, 240 * time.Second}, {usual, 20 * time.Second}} {
		r.l.terms = tt.terms
		if got := r.l.interval(); got != tt.want {
			t.Errorf("terms %+v: a PING every %v, want %v", tt.terms, got, tt.want)
		}
	}
}
