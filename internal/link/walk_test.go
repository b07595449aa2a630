package link

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

// A random owner and a random server, against what must always hold.
func TestRandomWalkKeepsTheInvariants(t *testing.T) {
	moves := 0
	for seed := range uint64(400) {
		moves += walk(t, seed)
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
	if t.Logf("%d handovers", moves); moves < 1000 {
		t.Errorf("%d handovers in all walks: they are not walked", moves)
	}
}

// walker is a link whose owner and server do anything, and what must be true of it.
type walker struct {
	t      *testing.T
	random *rand.Rand
	l      Link
	out    Out
	now    time.Duration
	step   string // what was done last

	newest    uint32          // the latest attempt of all
	session   uint32          // the attempt that has one
	open      map[uint32]bool // attempts that the owner has dialled and not closed
	handshake map[uint32]bool // attempts that were told Connected
	welcomed  map[uint32]bool // attempts that got a WELCOME
	stopped   bool
	moved     int

	welcome, draining []byte
}

// walk returns how often the session moved.
func walk(t *testing.T, seed uint64) int {
	w := newWalker(t, seed)
	for range 600 {
		w.do(w.choose())
		w.check()
		if t.Failed() {
			break
		}
	}
	return w.moved
}

func newWalker(t *testing.T, seed uint64) *walker {
	cfg := Config{Endpoints: []string{"10.0.0.1:1", "node:2"}, FreshTokens: seed%2 == 0, Policy: Policy(seed % 6)}
	cfg.Fill()
	w := &walker{t: t, random: rand.New(rand.NewPCG(seed, 1)), now: time.Hour,
		open: map[uint32]bool{}, handshake: map[uint32]bool{}, welcomed: map[uint32]bool{}}
	w.l.Init(&cfg, 1, seed)
	var err error
	w.welcome, err = codec.AppendWelcome(nil, &codec.WelcomeMessage{Version: 1, Terms: testTerms, Alternates: []byte("10.0.0.3:3,x:4"),
		Limits: codec.Limits{MaxSend: 100, Frames: 1, FrameBurst: 5}})
	if err != nil {
		t.Fatal(err)
	}
	w.draining, err = codec.AppendGoAway(nil, &codec.GoAwayMessage{Code: codec.CodeDraining})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// pick is mostly an open attempt, sometimes an old one.
func (w *walker) pick() uint32 {
	if w.random.IntN(8) == 0 {
		return uint32(w.random.IntN(int(w.newest) + 2))
	}
	if w.random.IntN(2) == 0 && w.open[w.newest] {
		return w.newest
	}
	return w.l.Attempt()
}

// choose draws the kind of a step, often that which leads on.
func (w *walker) choose() int {
	kind := w.random.IntN(15)
	if w.random.IntN(2) != 0 {
		return kind
	}
	switch a := w.newest; {
	case w.open[a] && !w.handshake[a]:
		return 2
	case w.open[a] && !w.welcomed[a]:
		return 15
	case w.session != 0 && !w.l.moving:
		return 16
	default:
		return 14
	}
}

func (w *walker) do(kind int) {
	switch kind {
	case 0:
		w.step = "start"
		w.l.Start(w.now, &w.out)
	case 1:
		w.step = "resolved"
		w.l.Resolved(w.now, w.pick(), addresses("10.0.0.4:1", "10.0.0.5:1", "10.0.0.6:1")[:w.random.IntN(4)])
	case 2, 3:
		w.step = "connected"
		a := w.pick()
		w.handshake[a] = w.handshake[a] || w.open[a]
		w.l.Connected(w.now, a, []byte("token"), &w.out)
	case 4, 5, 6:
		w.step = "received"
		a := w.pick()
		frames := serverFrames(w.random, w.welcome, a == w.session)
		if bytes.Contains(frames, w.welcome) {
			w.welcomed[a] = true
		}
		w.l.Received(w.now, a, frames, &w.out)
	case 7:
		w.step = "disconnected"
		a := w.pick()
		delete(w.open, a)
		w.l.Disconnected(w.now, a, []error{errReset, syscall.EMFILE, syscall.ENETUNREACH}[w.random.IntN(3)], &w.out)
	case 8:
		w.step = "send"
		if _, err := w.l.Send(w.now, []byte("x"), &w.out); (err == nil) != (w.l.State() == StateReady) && !errors.Is(err, ErrPaced) && !errors.Is(err, ErrFull) {
			w.t.Errorf("Send = %v while %s", err, w.l.State())
		}
	case 9:
		w.step = "network changed"
		w.l.NetworkChanged(w.now, &w.out)
	case 10:
		w.step = "stop"
		if w.random.IntN(400) == 0 {
			w.l.Stop(w.now, &w.out)
		}
	case 11:
		w.step = "ack"
		w.l.Ack(w.now, w.pick(), codec.AckOf(1), &w.out)
	case 15:
		w.step = "welcome"
		w.welcomed[w.newest] = true
		w.l.Received(w.now, w.newest, w.welcome, &w.out)
	case 16:
		w.step = "draining"
		w.l.Received(w.now, w.session, w.draining, &w.out)
	default:
		w.tick()
	}
}

// tick lets time pass, mostly to the link's deadline.
func (w *walker) tick() {
	w.step = "tick"
	if d := w.l.Deadline(); d != Never && w.random.IntN(3) > 0 {
		w.now = max(w.now, d)
	}
	if w.random.IntN(12) == 0 {
		w.now += time.Duration(w.random.Int64N(int64(20 * time.Second)))
	}
	for _, a := range []uint32{w.session, w.newest, w.l.conns[1].attempt} {
		if w.random.IntN(3) > 0 {
			w.l.Flow(w.now, a, Flow{Untaken: w.random.IntN(3) * w.random.IntN(100), Taken: int64(w.random.IntN(2)) * int64(w.now),
				Partial: w.random.IntN(2) * w.random.IntN(9000), Held: w.random.IntN(30) == 0})
		}
	}
	if w.random.IntN(3) == 0 {
		w.l.Released(w.now)
	}
	w.l.Tick(w.now, &w.out)
	if d := w.l.Deadline(); d < w.now {
		w.t.Errorf("deadline %v in the past after Tick at %v (%s)", d, w.now, w.l.State())
	}
}

// check holds what the link asks for, and its state, against what must always be so.
func (w *walker) check() {
	if len(w.out.Actions) > 2*maxFrames {
		w.t.Errorf("%s: %d actions", w.step, len(w.out.Actions))
	}
	for _, a := range w.out.Actions {
		switch a.Op {
		case Dial:
			if len(w.open) > 1 || len(w.open) == 1 && w.session == 0 && !w.l.leaving(&w.l.conns[1]) {
				w.t.Errorf("%s: dials %d while %v are open", w.step, a.Attempt, w.open)
			}
			if a.Attempt <= w.newest {
				w.t.Errorf("%s: attempt %d after %d", w.step, a.Attempt, w.newest)
			}
			w.newest = a.Attempt
			w.open[w.newest] = true
		case Write:
			if !w.open[a.Attempt] || !w.handshake[a.Attempt] {
				w.t.Errorf("%s: writes to %d, %v are open", w.step, a.Attempt, w.open)
			}
		case Close:
			if !w.open[a.Attempt] {
				w.t.Errorf("%s: closes %d, %v are open", w.step, a.Attempt, w.open)
			}
			delete(w.open, a.Attempt)
		case Notify:
			w.told(&a.Event)
		}
	}
	w.out.Reset()
	w.checkState()
}

// told is for what the link tells.
func (w *walker) told(e *Event) {
	switch e.Kind {
	case Ready:
		if !w.welcomed[e.Attempt] || w.session != 0 {
			w.t.Errorf("%s: %d is ready, WELCOME came for %v, the session is %d", w.step, e.Attempt, w.welcomed, w.session)
		}
		w.session = e.Attempt
	case Moved:
		if !w.welcomed[e.Attempt] || w.session == 0 || w.session == e.Attempt {
			w.t.Errorf("%s: moves from %d to %d, WELCOME came for %v", w.step, w.session, e.Attempt, w.welcomed)
		}
		w.session = e.Attempt
		w.moved++
	case Draining:
		if e.Attempt != w.session {
			w.t.Errorf("%s: %d is to move, the session is %d", w.step, e.Attempt, w.session)
		}
	case Lost, GoneAway:
		if e.WasReady != (e.Attempt == w.session) {
			w.t.Errorf("%s: %d ends, ready %v, the session is %d", w.step, e.Attempt, e.WasReady, w.session)
		}
		if e.WasReady {
			w.session = 0
		}
	case Stopped:
		if w.stopped {
			w.t.Errorf("%s: stopped twice", w.step)
		}
		w.stopped, w.session = true, 0
	}
}

func (w *walker) checkState() {
	state := w.l.State()
	if (state == StateReady) != (w.session != 0) || w.session != 0 && w.session != w.l.Attempt() {
		w.t.Errorf("%s: state %s with session %d, attempt %d", w.step, state, w.session, w.l.Attempt())
	}
	if busy := state >= StateResolving && state <= StateReady; busy != w.open[w.l.Attempt()] {
		w.t.Errorf("%s: state %s with %v open", w.step, state, w.open)
	}
	second := len(w.open)
	if w.open[w.l.Attempt()] {
		second--
	}
	if c := &w.l.conns[1]; second > 1 || (second == 1) != (c.attempt != 0) || c.attempt != 0 && !w.l.moving && c.state != StateReady {
		w.t.Errorf("%s: %v open, the second connection is %+v", w.step, w.open, *c)
	}
	if w.stopped != (state == StateStopped) {
		w.t.Errorf("%s: state %s, stopped %v", w.step, state, w.stopped)
	}
	if idle := state == StateIdle || state == StateStopped; idle != (w.l.Deadline() == Never) {
		w.t.Errorf("%s: state %s with deadline %v", w.step, state, w.l.Deadline())
	}
}

// serverFrames is what a server might send, right or wrong; a WELCOME mostly when it is
// its time.
func serverFrames(random *rand.Rand, welcome []byte, ready bool) (b []byte) {
	for range 1 + random.IntN(3) {
		switch random.IntN(10) {
		case 0, 1, 2, 3:
			if !ready || random.IntN(20) == 0 {
				b = append(b, welcome...)
			}
		case 4, 5:
			terms := testTerms
			terms.Interval = time.Duration(random.IntN(1000)) * 50 * time.Millisecond
			b = codec.AppendPong(b, codec.PongMessage{Token: random.Uint64N(5), Terms: terms})
		case 6:
			b = codec.AppendDeliver(b, random.Uint64(), []byte("body"))
		case 7:
			code := codec.Codes[random.IntN(len(codec.Codes))].Code
			if random.IntN(2) == 0 {
				code = codec.CodeDraining
			}
			if code == codec.CodeReplaced && random.IntN(20) > 0 {
				code = codec.CodeBusy
			}
			m := codec.GoAwayMessage{Code: code, Delay: time.Duration(random.IntN(3)) * time.Second}
			b, _ = codec.AppendGoAway(b, &m)
		case 8:
			if !ready || random.IntN(4) == 0 {
				first := random.Uint64N(9)
				b = codec.AppendAck(b, codec.AckMessage{Range: codec.Range{First: first, Last: first + random.Uint64N(3)}})
				b, _ = codec.AppendNack(b, &codec.NackMessage{Number: random.Uint64N(9), Code: codec.NackBusy})
			}
		case 9:
			if random.IntN(4) == 0 {
				b = append(b, "garbage"...)
			}
		}
	}
	return b
}
