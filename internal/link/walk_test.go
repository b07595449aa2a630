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

// walk returns how often the session moved.
func walk(t *testing.T, seed uint64) int {
	random := rand.New(rand.NewPCG(seed, 1))
	cfg := Config{Endpoints: []string{"10.0.0.1:1", "node:2"}, FreshTokens: seed%2 == 0, Policy: Policy(seed % 6)}
	cfg.Fill()
	var l Link
	var out Out
	l.Init(&cfg, 1, seed)

	now := time.Hour
	newest := uint32(0) // the latest attempt of all
	session := uint32(0)
	open := map[uint32]bool{}      // attempts that the owner has dialled and not closed
	handshake := map[uint32]bool{} // attempts that were told Connected
	welcomed := map[uint32]bool{}  // attempts that got a WELCOME
	stopped, moved := false, 0
	welcome, err := codec.AppendWelcome(nil, &codec.WelcomeMessage{Version: 1, Terms: testTerms, Alternates: []byte("10.0.0.3:3,x:4"),
		Limits: codec.Limits{MaxSend: 100, Frames: 1, FrameBurst: 5}})
	if err != nil {
		t.Fatal(err)
	}

	draining, err := codec.AppendGoAway(nil, &codec.GoAwayMessage{Code: codec.CodeDraining})
	if err != nil {
		t.Fatal(err)
	}

	check := func(step string) {
		if len(out.Actions) > 2*maxFrames {
			t.Errorf("%s: %d actions", step, len(out.Actions))
		}
		for _, a := range out.Actions {
			switch a.Op {
			case Dial:
				if len(open) > 1 || len(open) == 1 && session == 0 && !l.leaving(&l.conns[1]) {
					t.Errorf("%s: dials %d while %v are open", step, a.Attempt, open)
				}
				if a.Attempt <= newest {
					t.Errorf("%s: attempt %d after %d", step, a.Attempt, newest)
				}
				newest = a.Attempt
				open[newest] = true
			case Write:
				if !open[a.Attempt] || !handshake[a.Attempt] {
					t.Errorf("%s: writes to %d, %v are open", step, a.Attempt, open)
				}
			case Close:
				if !open[a.Attempt] {
					t.Errorf("%s: closes %d, %v are open", step, a.Attempt, open)
				}
				delete(open, a.Attempt)
			case Notify:
				switch e := a.Event; e.Kind {
				case Ready:
					if !welcomed[e.Attempt] || session != 0 {
						t.Errorf("%s: %d is ready, WELCOME came for %v, the session is %d", step, e.Attempt, welcomed, session)
					}
					session = e.Attempt
				case Moved:
					if !welcomed[e.Attempt] || session == 0 || session == e.Attempt {
						t.Errorf("%s: moves from %d to %d, WELCOME came for %v", step, session, e.Attempt, welcomed)
					}
					session = e.Attempt
					moved++
				case Draining:
					if e.Attempt != session {
						t.Errorf("%s: %d is to move, the session is %d", step, e.Attempt, session)
					}
				case Lost, GoneAway:
					if e.WasReady != (e.Attempt == session) {
						t.Errorf("%s: %d ends, ready %v, the session is %d", step, e.Attempt, e.WasReady, session)
					}
					if e.WasReady {
						session = 0
					}
				case Stopped:
					if stopped {
						t.Errorf("%s: stopped twice", step)
					}
					stopped, session = true, 0
				}
			}
		}
		out.Reset()
		state := l.State()
		if (state == StateReady) != (session != 0) || session != 0 && session != l.Attempt() {
			t.Errorf("%s: state %s with session %d, attempt %d", step, state, session, l.Attempt())
		}
		if busy := state >= StateResolving && state <= StateReady; busy != open[l.Attempt()] {
			t.Errorf("%s: state %s with %v open", step, state, open)
		}
		second := len(open)
		if open[l.Attempt()] {
			second--
		}
		if c := &l.conns[1]; second > 1 || (second == 1) != (c.attempt != 0) || c.attempt != 0 && !l.moving && c.state != StateReady {
			t.Errorf("%s: %v open, the second connection is %+v", step, open, *c)
		}
		if stopped != (state == StateStopped) {
			t.Errorf("%s: state %s, stopped %v", step, state, stopped)
		}
		if idle := state == StateIdle || state == StateStopped; idle != (l.Deadline() == Never) {
			t.Errorf("%s: state %s with deadline %v", step, state, l.Deadline())
		}
	}
	pick := func() uint32 { // mostly an open attempt, sometimes an old one
		if random.IntN(8) == 0 {
			return uint32(random.IntN(int(newest) + 2))
		}
		if random.IntN(2) == 0 && open[newest] {
			return newest
		}
		return l.Attempt()
	}
	for range 600 {
		step := ""
		kind := random.IntN(15)
		if a := newest; random.IntN(2) == 0 { // often the step that leads on
			switch {
			case open[a] && !handshake[a]:
				kind = 2
			case open[a] && !welcomed[a]:
				kind = 15
			case session != 0 && !l.moving:
				kind = 16
			default:
				kind = 14
			}
		}
		switch kind {
		case 0:
			step = "start"
			l.Start(now, &out)
		case 1:
			step = "resolved"
			l.Resolved(now, pick(), addresses("10.0.0.4:1", "10.0.0.5:1", "10.0.0.6:1")[:random.IntN(4)])
		case 2, 3:
			step = "connected"
			a := pick()
			handshake[a] = handshake[a] || open[a]
			l.Connected(now, a, []byte("token"), &out)
		case 4, 5, 6:
			step = "received"
			a := pick()
			frames := serverFrames(random, welcome, a == session)
			if bytes.Contains(frames, welcome) {
				welcomed[a] = true
			}
			l.Received(now, a, frames, &out)
		case 7:
			step = "disconnected"
			a := pick()
			delete(open, a)
			l.Disconnected(now, a, []error{errReset, syscall.EMFILE, syscall.ENETUNREACH}[random.IntN(3)], &out)
		case 8:
			step = "send"
			if _, err := l.Send(now, []byte("x"), &out); (err == nil) != (l.State() == StateReady) && !errors.Is(err, ErrPaced) && !errors.Is(err, ErrFull) {
				t.Errorf("Send = %v while %s", err, l.State())
			}
		case 9:
			step = "network changed"
			l.NetworkChanged(now, &out)
		case 10:
			step = "stop"
			if random.IntN(400) == 0 {
				l.Stop(now, &out)
			}
		case 11:
			step = "ack"
			l.Ack(now, pick(), codec.AckOf(1), &out)
		case 15:
			step = "welcome"
			welcomed[newest] = true
			l.Received(now, newest, welcome, &out)
		case 16:
			step = "draining"
			l.Received(now, session, draining, &out)
		default:
			step = "tick"
			if d := l.Deadline(); d != Never && random.IntN(3) > 0 {
				now = max(now, d)
			}
			if random.IntN(12) == 0 {
				now += time.Duration(random.Int64N(int64(20 * time.Second)))
			}
			for _, a := range []uint32{session, newest, l.conns[1].attempt} {
				if random.IntN(3) > 0 {
					l.Flow(now, a, Flow{Untaken: random.IntN(3) * random.IntN(100), Taken: int64(random.IntN(2)) * int64(now),
						Partial: random.IntN(2) * random.IntN(9000), Held: random.IntN(30) == 0})
				}
			}
			if random.IntN(3) == 0 {
				l.Released(now)
			}
			l.Tick(now, &out)
			if d := l.Deadline(); d < now {
				t.Errorf("deadline %v in the past after Tick at %v (%s)", d, now, l.State())
			}
		}
		check(step)
		if t.Failed() {
			return moved
		}
	}
	return moved
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
