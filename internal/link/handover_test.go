package link

import (
	"slices"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

var twoNodes = []string{"10.0.0.1:1", "10.0.0.2:1"}

// draining has a stable session whose server drains, and its first attempt elsewhere.
func draining(t *testing.T, cfg Config) *rig {
	t.Helper()
	if cfg.Endpoints == nil {
		cfg.Endpoints = twoNodes
	}
	r := newRig(t, cfg)
	r.ready(testTerms)
	r.now += 2 * time.Second
	r.goAway(codec.GoAwayMessage{Code: codec.CodeDraining})
	r.wantState(StateReady)
	r.tick()
	return r
}

func frame(b []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return b
}

// from gives the link what the server of an attempt sent.
func (r *rig) from(attempt uint32, b []byte) {
	r.t.Helper()
	if n, _ := r.l.Received(r.now, attempt, b, &r.out); n != len(b) {
		r.t.Fatalf("Received took %d bytes of %d", n, len(b))
	}
	r.settle()
}

// written lists the types of the frames of an attempt.
func (r *rig) written(attempt uint32) (types []codec.Type) {
	for i, f := range r.frames {
		if r.by[i] == attempt {
			types = append(types, f.Type)
		}
	}
	return types
}

func (r *rig) send(body string) {
	r.t.Helper()
	if _, err := r.l.Send(r.now, []byte(body), &r.out); err != nil {
		r.t.Fatal(err)
	}
	r.settle()
}

func (r *rig) post(body string) {
	r.t.Helper()
	if err := r.l.Post(r.now, []byte(body), &r.out); err != nil {
		r.t.Fatal(err)
	}
	r.settle()
}

// answerOld gives the PONG to the PING that ends the connection which the session has left.
func (r *rig) answerOld() {
	r.t.Helper()
	r.from(r.l.conns[1].attempt, codec.AppendPong(nil, codec.PongMessage{Token: r.l.leave.token, Terms: testTerms}))
}

// finishOld is the server's last PONG on the connection that was left, and the time until that is closed.
func (r *rig) finishOld() {
	r.t.Helper()
	r.answerOld()
	r.until(func() bool { return r.l.conns[1].attempt == 0 })
}

// The promise: a client whose node drains is never without a session.
func TestHandoverConnectsElsewhereBeforeItLeaves(t *testing.T) {
	r := draining(t, Config{})
	if len(r.dials) != 2 || r.dials[0] == r.dials[1] {
		t.Fatalf("dials %v, want the other node", r.dials)
	}
	if !r.l.Info().Moving || r.l.Attempt() != 1 {
		t.Errorf("Info = %+v, want the first attempt's session, moving", r.l.Info())
	}
	r.send("to the old one")
	r.connected()
	r.send("still to the old one")
	r.welcome(codec.WelcomeMessage{Terms: testTerms, Node: []byte("n2"), Session: codec.SessionID{Epoch: 9}})
	r.wantState(StateReady)
	if e, ok := r.last(Moved); !ok || e.Node != "n2" || e.Session.Epoch != 9 || e.Attempt != 2 || r.l.Attempt() != 2 {
		t.Errorf("Moved = %+v, %v", e, ok)
	}
	r.send("to the new one")
	if len(r.closed) != 0 {
		t.Errorf("closed %v with messages on their way", r.closed)
	}
	// What was on its way from the old server is taken, and acknowledged there.
	r.from(1, codec.AppendAck(codec.AppendDeliver(nil, 5, []byte("late")), codec.AckOf(2)))
	if e, _ := r.last(Delivered); e.ID != 5 || e.Attempt != 1 {
		t.Errorf("Delivered = %+v", e)
	}
	if e, _ := r.last(Acked); e.ID != 2 {
		t.Errorf("Acked = %+v", e)
	}
	r.l.Ack(r.now, 1, codec.AckOf(5), &r.out)
	r.settle()
	r.now += 50 * time.Millisecond
	r.answerOld()
	if got := r.l.Deadline() - r.now; got != overlap {
		t.Errorf("BYE in %v, want %v", got, overlap)
	}
	r.tick()
	want := []codec.Type{codec.Hello, codec.Send, codec.Send, codec.Ping, codec.Ack, codec.Bye}
	if got := r.written(1); !slices.Equal(got, want) {
		t.Errorf("the old server got %v, want %v", got, want)
	}
	r.from(1, codec.AppendDeliver(nil, 6, []byte("crossed with BYE")))
	r.l.Ack(r.now, 1, codec.AckOf(6), &r.out) // nobody would read it
	r.settle()
	if e, _ := r.last(Delivered); e.ID != 6 || len(r.written(1)) != len(want) {
		t.Errorf("Delivered = %+v; the old server got %v", e, r.written(1))
	}
	r.l.Disconnected(r.now, 1, errReset, &r.out) // it closes after BYE
	r.settle()
	if got := r.written(2); !slices.Equal(got, []codec.Type{codec.Hello, codec.Send, codec.Send, codec.Send}) {
		t.Errorf("the new server got %v", got)
	}
	info := r.l.Info()
	if r.count(Lost)+r.count(GoneAway) != 0 || info.Losses != 0 || info.Sessions != 2 || info.Dials != 2 || info.Moving || len(r.closed) != 0 {
		t.Errorf("Info = %+v, closed %v, events %v", info, r.closed, r.events)
	}
}

func TestAServerThatDoesNotCloseAfterByeIsClosed(t *testing.T) {
	r := draining(t, Config{})
	r.connected()
	r.welcome(codec.WelcomeMessage{Terms: testTerms})
	r.tick()
	if len(r.closed) != 0 {
		t.Fatalf("closed %v together with BYE", r.closed)
	}
	left := r.now
	r.tick()
	if !slices.Equal(r.closed, []uint32{1}) || r.now-left != byeTime {
		t.Errorf("closed %v after %v, want attempt 1 after %v", r.closed, r.now-left, byeTime)
	}
	r.wantState(StateReady)
}

// The old connection is silent while it is left; its server must not have to evict it.
func TestLeavingIsShorterThanTheTimeoutAllows(t *testing.T) {
	r := newRig(t, Config{Endpoints: twoNodes})
	r.ready(codec.Terms{Interval: 200 * time.Millisecond, Timeout: 600 * time.Millisecond})
	r.goAway(codec.GoAwayMessage{Code: codec.CodeDraining})
	r.l.Tick(r.now, &r.out)
	r.settle()
	r.connected()
	r.welcome(codec.WelcomeMessage{Terms: testTerms})
	if got := r.l.Deadline() - r.now; got != 120*time.Millisecond {
		t.Errorf("BYE in %v, want a fifth of the timeout", got)
	}
}

func TestLivenessIsTheSessionsAloneWhileItMoves(t *testing.T) {
	r := draining(t, Config{WelcomeTimeout: time.Hour, ConnectTimeout: time.Hour})
	r.connected()
	r.tick()
	if e, _ := r.last(PingSent); e.Attempt != 1 {
		t.Fatalf("PING on attempt %d", e.Attempt)
	}
	// The next server talks, the session's does not.
	r.now += time.Second
	r.from(2, codec.AppendFrame(nil, 200, codec.FlagIgnorable, nil))
	r.tick()
	if e, ok := r.last(Lost); !ok || e.Attempt != 1 || e.Reason != PongTimeout {
		t.Errorf("Lost = %+v, %v, want the silent session", e, ok)
	}
	if r.l.Attempt() != 2 {
		t.Errorf("attempt %d, want the one under way", r.l.Attempt())
	}
}

// What the second connection writes or hears says nothing about the session's.
func TestBeatsOfTheSessionAreItsOwn(t *testing.T) {
	r := draining(t, Config{WelcomeTimeout: time.Hour})
	beat := r.l.deadline()
	r.now += time.Second
	r.connected()
	hello := r.now
	if got := r.l.deadline(); got != beat {
		t.Errorf("HELLO to the next server moved the PING by %v", got-beat)
	}
	r.tick() // a PING that the old server does not answer any more
	r.welcome(codec.WelcomeMessage{Terms: testTerms, Node: []byte("n2")})
	if d := r.l.deadline() - hello; r.l.heartbeat.waiting() || d > testTerms.Interval || d < testTerms.Interval*4/5 {
		t.Errorf("after the move: %+v, PING %v after HELLO", r.l.heartbeat, d)
	}
	beat = r.l.deadline()
	r.now += 10 * time.Millisecond
	other := testTerms
	other.Interval = time.Second
	r.from(1, codec.AppendPong(nil, codec.PongMessage{Token: r.l.heartbeat.token, Terms: other}))
	r.l.Ack(r.now, 1, codec.AckOf(1), &r.out)
	r.settle()
	if r.l.deadline() != beat || r.l.Info().Terms != testTerms || r.count(Pong) != 0 {
		t.Errorf("the old server changed the session: %+v", r.l.Info())
	}
}

func TestToldTwiceIsToldOnce(t *testing.T) {
	r := newRig(t, Config{Endpoints: twoNodes})
	r.ready(testTerms)
	r.goAway(codec.GoAwayMessage{Code: codec.CodeDraining, Delay: time.Minute})
	at := r.l.Info().NextAttempt
	r.now += time.Second
	r.from(1, frame(codec.AppendGoAway(nil, &codec.GoAwayMessage{Code: codec.CodeDraining, Delay: time.Minute})))
	if r.l.Info().NextAttempt != at || r.count(Draining) != 1 {
		t.Errorf("next attempt at %v, was %v; told %d times", r.l.Info().NextAttempt, at, r.count(Draining))
	}
}

// Nodes that know of each other's clients say "replaced" on the old connection.
func TestReplacedByItsOwnNextConnectionIsNoEnd(t *testing.T) {
	r := draining(t, Config{})
	r.connected()
	r.from(1, frame(codec.AppendGoAway(nil, &codec.GoAwayMessage{Code: codec.CodeReplaced})))
	r.wantState(StateHandshaking)
	r.welcome(codec.WelcomeMessage{Terms: testTerms})
	r.wantState(StateReady)

	r = draining(t, Config{}) // its HELLO is not out: somebody else
	r.from(1, frame(codec.AppendGoAway(nil, &codec.GoAwayMessage{Code: codec.CodeReplaced})))
	r.wantState(StateStopped)

	r = draining(t, Config{})
	r.connected()
	r.welcome(codec.WelcomeMessage{Terms: testTerms})
	r.from(1, frame(codec.AppendGoAway(nil, &codec.GoAwayMessage{Code: codec.CodeReplaced})))
	r.wantState(StateReady)
	if !slices.Equal(r.closed, []uint32{1}) {
		t.Errorf("closed %v, want the old connection", r.closed)
	}
}

func TestStopSaysByeToBothServers(t *testing.T) {
	r := draining(t, Config{})
	r.connected()
	r.welcome(codec.WelcomeMessage{Terms: testTerms})
	r.l.Stop(r.now, &r.out)
	r.settle()
	for attempt := uint32(1); attempt <= 2; attempt++ {
		if types := r.written(attempt); types[len(types)-1] != codec.Bye {
			t.Errorf("attempt %d got %v, want BYE at the end", attempt, types)
		}
	}
	if len(r.closed) != 2 || r.l.Deadline() != Never {
		t.Errorf("closed %v, deadline %v", r.closed, r.l.Deadline())
	}
}

// Any bytes on both connections of a handover, in any order of chunks: no panic, bounded
// output, and one session at most.
func FuzzHandover(f *testing.F) {
	welcome := frame(codec.AppendWelcome(nil, &codec.WelcomeMessage{Version: 1, Terms: testTerms}))
	goAway := frame(codec.AppendGoAway(nil, &codec.GoAwayMessage{Code: codec.CodeDraining}))
	deliver := codec.AppendDeliver(nil, 3, []byte("body"))
	f.Add(deliver, welcome, uint8(9), uint64(0x5555), false)
	f.Add(append(goAway, deliver...), append(welcome, goAway...), uint8(200), uint64(0xf0), false)
	f.Add([]byte{byte(codec.Bye), 0, 0}, goAway, uint8(1), uint64(1), true)
	f.Fuzz(func(t *testing.T, old, next []byte, chunk uint8, order uint64, framed bool) {
		if framed {
			old, next = reframe(old), reframe(next)
		}
		r := draining(t, Config{})
		r.connected()
		streams := [2][]byte{old, next}
		filled := [2]int{}
		for turn := 0; len(streams[0])+len(streams[1]) > 0; turn++ {
			which := order >> (turn % 64) & 1
			if len(streams[which]) == 0 {
				which ^= 1
			}
			filled[which] = min(filled[which]+int(chunk)+1, len(streams[which]))
			n, need := r.l.Received(r.now, uint32(which)+1, streams[which][:filled[which]], &r.out)
			if n > filled[which] || need < 1 || len(r.out.Actions) > 2*maxFrames {
				t.Fatalf("consumed %d of %d, needs %d, %d actions", n, filled[which], need, len(r.out.Actions))
			}
			r.settle()
			if n == 0 && filled[which] == len(streams[which]) {
				n = filled[which] // the stream ends within a frame
			}
			streams[which] = streams[which][n:]
			filled[which] -= n
			if len(r.events) > 10_000 {
				t.Skip("long enough")
			}
			if r.count(Ready) > 1+r.count(Lost)+r.count(GoneAway) {
				t.Fatalf("two sessions: %v", r.events)
			}
			if c := r.l.conns[1]; c.attempt != 0 && !r.l.moving && c.state != StateReady {
				t.Fatalf("a second connection without a handover: %+v", c)
			}
		}
	})
}
