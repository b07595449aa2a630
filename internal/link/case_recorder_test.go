package link

import (
	"encoding/hex"
	"fmt"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

// script makes a case: it calls the link as an owner would, and what comes of it is recorded.
type script struct {
	name, about string
	cfg         caseConfig
	run         func(r *recorder)
}

type recorder struct {
	*player
	c   linkCase
	now time.Duration
}

var oneEndpoint = []string{"10.0.0.1:7000"}
var threeEndpoints = []string{"10.0.0.1:7000", "10.0.0.2:7000", "10.0.0.3:7000"}

func newRecorder(t testing.TB, s script) *recorder {
	t.Helper()
	cfg := s.cfg
	if cfg.Endpoints == nil {
		cfg.Endpoints = oneEndpoint
	}
	cfg.ID = "alice"
	if cfg.Seed == 0 {
		cfg.Seed = 1
	}
	seed := rng(caseIncarnation + caseNumber)
	cfg.Incarnation = fmt.Sprintf("%016x", seed.next())
	return &recorder{player: newPlayer(t, &cfg), c: linkCase{About: s.about, Config: cfg}, now: time.Hour}
}

// do plays a step now and records it.
func (r *recorder) do(s step) *step {
	r.t.Helper()
	s.At = toMillis(r.now)
	r.play(&s)
	r.c.Steps = append(r.c.Steps, &s)
	return &s
}

func (r *recorder) after(d time.Duration) { r.now += d }

// attempt is the latest that was dialled.
func (r *recorder) attempt() uint32 { return r.l.attempts }

func (r *recorder) start()     { r.t.Helper(); r.do(step{Do: "start"}) }
func (r *recorder) connected() { r.t.Helper(); r.do(step{Do: "connected", Attempt: r.attempt()}) }

func (r *recorder) disconnected(attempt uint32, fault string) {
	r.t.Helper()
	r.do(step{Do: "disconnected", Attempt: attempt, Fault: fault})
}

// tick goes to the deadline and ticks, and again after a look that brought nothing.
func (r *recorder) tick() {
	r.t.Helper()
	for {
		r.now = max(r.now, r.l.Deadline())
		asked := r.l.Asks(r.now, r.l.conns[0].attempt) || r.l.Asks(r.now, r.l.conns[1].attempt)
		if s := r.do(step{Do: "tick"}); !asked || len(s.Out) > 0 {
			return
		}
	}
}

func (r *recorder) receive(attempt uint32, b []byte, err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
	r.do(step{Do: "received", Attempt: attempt, Bytes: hex.EncodeToString(b), Says: says(r.t, b)})
}

func (r *recorder) welcome(m codec.WelcomeMessage) {
	r.t.Helper()
	m.Version = codec.ProtocolVersion
	m.ServerTime = time.Unix(1_800_000_000, 0)
	m.Session = codec.SessionID{Epoch: 0x1122334455667788, Handle: uint64(r.attempt())}
	if m.Node == nil {
		m.Node = []byte("n1")
	}
	if m.Terms == (codec.Terms{}) {
		m.Terms = testTerms
		m.Terms.Number = 1
	}
	b, err := codec.AppendWelcome(nil, &m)
	r.receive(r.attempt(), b, err)
}

// ready takes the link from idle or backing off to a session.
func (r *recorder) ready(m codec.WelcomeMessage) {
	r.t.Helper()
	if r.l.State() == StateIdle {
		r.start()
	}
	if r.l.State() == StateBackingOff {
		r.tick()
	}
	r.connected()
	r.after(40 * time.Millisecond)
	r.welcome(m)
	if r.l.State() != StateReady {
		r.t.Fatalf("state %s after WELCOME, want ready", r.l.State())
	}
}

// pong answers the latest PING over an attempt's connection.
func (r *recorder) pong(attempt uint32) {
	r.t.Helper()
	r.announce(attempt, codec.PongMessage{Token: r.l.heartbeat.token, Terms: r.l.terms})
}

func (r *recorder) announce(attempt uint32, m codec.PongMessage) {
	r.t.Helper()
	b, err := codec.AppendAnnouncement(nil, m)
	r.receive(attempt, b, err)
}

func (r *recorder) goAway(attempt uint32, m codec.GoAwayMessage) {
	r.t.Helper()
	b, err := codec.AppendGoAway(nil, &m)
	r.receive(attempt, b, err)
}

func (r *recorder) send(body string) { r.t.Helper(); r.do(step{Do: "send", Body: body}) }

func (r *recorder) ack(attempt uint32, first, last uint64) {
	r.t.Helper()
	r.receive(attempt, codec.AppendAck(nil, codec.AckMessage{Range: codec.Range{First: first, Last: last}, What: 1}), nil)
}

func (r *recorder) info() { r.t.Helper(); r.do(step{Do: "info"}) }
