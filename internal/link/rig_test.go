package link

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

// rig owns one link on a clock that the test moves, and keeps what the link asked for.
type rig struct {
	t      testing.TB
	l      Link
	out    Out
	now    time.Duration
	flow   Flow // of every connection
	dials  []string
	frames []codec.Frame // written, payloads copied
	by     []uint32      // the attempts of frames
	closed []uint32
	events []Event // bodies copied
}

var testTerms = codec.Terms{Interval: 30 * time.Second, Timeout: 75 * time.Second, Window: time.Minute}

func newRig(t testing.TB, cfg Config) *rig {
	t.Helper()
	if cfg.Endpoints == nil {
		cfg.Endpoints = []string{"10.0.0.1:7000"}
	}
	cfg.ID = func(number uint64) string { return fmt.Sprint("alice-", number) }
	cfg.Fill()
	if err := cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, now: time.Hour}
	r.l.Init(&cfg, 17, 1)
	return r
}

// settle carries the actions out on paper.
func (r *rig) settle() {
	r.t.Helper()
	for _, a := range r.out.Actions {
		switch a.Op {
		case Dial:
			r.dials = append(r.dials, a.Addr)
		case Write:
			for b := a.Data; len(b) > 0; {
				f, size, err := codec.Decode(b, codec.MaxPayload)
				if err != nil {
					r.t.Fatalf("the link wrote a bad frame: %v", err)
				}
				f.Payload = bytes.Clone(f.Payload)
				r.frames, r.by = append(r.frames, f), append(r.by, a.Attempt)
				b = b[size:]
			}
		case Close:
			r.closed = append(r.closed, a.Attempt)
		case Notify:
			a.Event.Body = bytes.Clone(a.Event.Body)
			r.events = append(r.events, a.Event)
		}
	}
	r.out.Reset()
}

func (r *rig) attempt() uint32 { return r.l.Info().Attempt }

func (r *rig) start() { r.l.Start(r.now, &r.out); r.settle() }

func (r *rig) connected() {
	r.l.Connected(r.now, r.attempt(), []byte("token"), &r.out)
	r.settle()
}

func (r *rig) receive(b []byte) {
	r.t.Helper()
	n, _ := r.l.Received(r.now, r.attempt(), b, &r.out)
	r.settle()
	if n != len(b) {
		r.t.Fatalf("Received took %d bytes of %d", n, len(b))
	}
}

func (r *rig) welcome(m codec.WelcomeMessage) {
	r.t.Helper()
	m.Version = codec.ProtocolVersion
	b, err := codec.AppendWelcome(nil, &m)
	if err != nil {
		r.t.Fatal(err)
	}
	r.receive(b)
}

// ready takes the link from idle or backing off to a session.
func (r *rig) ready(terms codec.Terms) {
	r.t.Helper()
	if r.l.State() == StateIdle {
		r.start()
	}
	if r.l.State() == StateBackingOff {
		r.tick()
	}
	r.connected()
	r.welcome(codec.WelcomeMessage{Terms: terms, Node: []byte("n1")})
	if r.l.State() != StateReady {
		r.t.Fatalf("state %s after WELCOME, want ready", r.l.State())
	}
}

// tick moves the clock to the deadline and ticks. To look after a PING is not an event of
// its own.
func (r *rig) tick() {
	for {
		r.now = max(r.now, r.l.Deadline())
		looked := r.look()
		r.l.Tick(r.now, &r.out)
		if !looked || len(r.out.Actions) > 0 {
			break
		}
	}
	r.settle()
}

// look tells the link what it asks for before a Tick.
func (r *rig) look() (asked bool) {
	for i := range r.l.conns {
		if a := r.l.conns[i].attempt; r.l.Asks(r.now, a) {
			asked = true
			r.l.Flow(r.now, a, r.flow)
		}
	}
	return asked
}

func (r *rig) disconnected(cause error, local bool) {
	if local {
		cause = &FaultError{FaultHost, cause}
	}
	r.l.Disconnected(r.now, r.attempt(), cause, &r.out)
	r.settle()
}

func (r *rig) goAway(m codec.GoAwayMessage) {
	r.t.Helper()
	b, err := codec.AppendGoAway(nil, &m)
	if err != nil {
		r.t.Fatal(err)
	}
	r.receive(b)
}

func (r *rig) last(k EventKind) (e Event, ok bool) {
	for i := len(r.events) - 1; i >= 0; i-- {
		if r.events[i].Kind == k {
			return r.events[i], true
		}
	}
	return Event{}, false
}

func (r *rig) count(k EventKind) (n int) {
	for _, e := range r.events {
		if e.Kind == k {
			n++
		}
	}
	return n
}

// wait is the time until the next attempt.
func (r *rig) wait() time.Duration {
	r.t.Helper()
	if s := r.l.State(); s != StateBackingOff {
		r.t.Fatalf("state %s, want backing off", s)
	}
	return r.l.Info().NextAttempt - r.now
}

func (r *rig) wantState(want State) {
	r.t.Helper()
	if got := r.l.State(); got != want {
		r.t.Fatalf("state %s, want %s", got, want)
	}
}

// sample draws n waits, each of a fresh link with its own seed.
func sample(t *testing.T, n int, cfg Config, wait func(r *rig) time.Duration) (low, high time.Duration) {
	t.Helper()
	low = Never
	for seed := range n {
		r := newRig(t, cfg)
		r.l.rng = rng(seed)
		w := wait(r)
		low, high = min(low, w), max(high, w)
	}
	return low, high
}
