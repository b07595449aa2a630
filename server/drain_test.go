package server

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/gate"
	"github.com/stormwheel/stormwheel/timingwheel"
)

// drain has the reactor tell its sessions at rate from now on.
func (n *node) drain(rate float64) {
	n.r.node.Drain.Begin()
	n.r.node.Drain.SetPace(rate, 0, 0)
}

func TestDrainTellsSessionsAtItsPace(t *testing.T) {
	n := newNode(t, rigConfig{Heartbeat: time.Minute, Timeout: 3 * time.Minute, Tick: 10 * time.Millisecond, AdmitRate: 1e6})
	for range 500 {
		n.join()
	}
	n.run(time.Second)
	if n.r.counters.GoAways != 0 {
		t.Fatal("sessions are told before the drain")
	}
	n.r.node.Drain.Begin()
	n.run(time.Second)
	if n.r.counters.GoAways != 0 {
		t.Fatal("sessions are told within the grace")
	}
	n.drain(100)
	for second := 1; second <= 5; second++ {
		n.run(time.Second)
		want := int64(100*second) + 10 // and the burst
		if got := n.r.counters.Draining; got < want-10 || got > want {
			t.Errorf("%d told after %d s, want %d", got, second, want)
		}
	}
	n.run(time.Second)
	if c := n.r.counters; c.Draining != 500 || c.GoAways != 500 || c.Sessions != 500 {
		t.Errorf("%d told with %d GOAWAYs, %d sessions, want 500 of each", c.Draining, c.GoAways, c.Sessions)
	}
}

// What a stall keeps back is not made up for at once: that would be the storm again.
func TestDrainAfterAStallDoesNotBurst(t *testing.T) {
	n := newNode(t, rigConfig{Heartbeat: time.Minute, Timeout: 3 * time.Minute, Tick: 10 * time.Millisecond, AdmitRate: 1e6})
	for range 2000 {
		n.join()
	}
	n.drain(100)
	n.run(time.Second)
	before := n.r.counters.Draining
	n.now += 10 * time.Second
	n.turn(never)
	if got := n.r.counters.Draining - before; got > 12 {
		t.Errorf("%d told at once after a stall of 10 s, want 100 ms' worth: 10", got)
	}
}

// A session that was told is a session: served, watched, and counted as moved only if it
// says BYE.
func TestDrainedSessionsAreServedUntilBye(t *testing.T) {
	acked := 0
	n := newNode(t, rigConfig{AdmitRate: 1e6, Alternates: []string{"b:1"}, Handler: handler{
		Message: func(s *caller, id uint64, body []byte) { _, _ = s.Deliver(body); _ = s.Ack(id) },
		Acked:   func(*caller, uint64) { acked++ },
	}})
	n.r.node.Alternates = []byte("b:1")
	slot, p := n.join()
	silent, gone := n.join()
	n.drain(1e6)
	n.run(n.r.cfg.Tick)
	all := frames(t, p.in)
	m, err := codec.ParseGoAway(all[0].Payload)
	if len(all) != 1 || err != nil || m.Code != codec.CodeDraining || string(m.Alternates) != "b:1" || m.Delay != 0 || m.Window != 0 {
		t.Fatalf("told by %v %+v, %v", frameTypes(t, p.in), m, err)
	}
	if p.finished || p.closed {
		t.Fatal("the connection is ended with the notice")
	}
	p.in = nil
	n.send(slot, codec.AppendPing(codec.AppendSend(nil, 7, []byte("x")), 9, 0))
	if got := frameTypes(t, p.in); fmt.Sprint(got) != fmt.Sprint([]codec.Type{codec.Deliver, codec.Ack, codec.Pong}) {
		t.Errorf("a told session is answered by %v", got)
	}
	n.send(slot, codec.AppendAck(nil, 1))
	if acked != 1 {
		t.Errorf("%d ACKs reached the application", acked)
	}
	n.run(n.r.cfg.Timeout - time.Second)
	if gone.aborted {
		t.Error("evicted early")
	}
	n.send(slot, codec.AppendPing(nil, 10, 0))
	n.run(2 * time.Second)
	if n.wantClosed(ReasonHeartbeatTimeout, 1); !gone.aborted || n.r.sessions.at(silent).state != stateFree {
		t.Error("a told session that falls silent is not evicted")
	}
	n.send(slot, codec.AppendBye(nil))
	n.wantClosed(ReasonBye, 1)
	if c := n.r.counters; c.Moved != 1 || c.Draining != 0 || c.Sessions != 0 || !p.closed {
		t.Errorf("moved %d, draining %d, sessions %d, closed %v", c.Moved, c.Draining, c.Sessions, p.closed)
	}
}

func TestDrainRefusesNewClientsWithTheAlternates(t *testing.T) {
	n := newNode(t, rigConfig{Alternates: []string{"b:1"}})
	n.r.node.Alternates = []byte("b:1")
	slot, p := n.dial()
	n.r.node.Drain.Begin()
	n.send(slot, hello("late"))
	if code := goAwayCode(t, p); code != codec.CodeDraining || !p.finished {
		t.Errorf("HELLO is answered by %v, finished %v", code, p.finished)
	}
	n.wantClosed(ReasonDraining, 1)
}

// Sessions of slots behind the cursor are told too, and a slot's next tenant is not taken
// for the one before.
func TestDrainGoesRound(t *testing.T) {
	n := newNode(t, rigConfig{AdmitRate: 1e6})
	first, _ := n.join()
	n.drain(1e6)
	n.run(n.r.cfg.Tick)
	n.send(first, codec.AppendBye(nil))
	n.r.node.Drain = gate.Drain{} // as if authenticated only now
	var late []timingwheel.ID
	for range 100 {
		slot, _ := n.join()
		late = append(late, slot)
	}
	n.drain(1e6)
	n.run(2 * n.r.cfg.Tick)
	for _, slot := range late {
		if !n.r.movers.has(slot) {
			t.Fatalf("slot %d is not told", slot)
		}
	}
	if c := n.r.counters; c.Draining != 100 || c.Moved != 1 {
		t.Errorf("draining %d, moved %d, want 100 and 1", c.Draining, c.Moved)
	}
}

// A turn that has no time left goes on in the next one.
func TestDrainKeepsToTheTurn(t *testing.T) {
	n := newNode(t, rigConfig{AdmitRate: 1e6})
	for range 300 {
		n.join()
	}
	n.drain(1e6)
	n.now += time.Second
	if debt := n.turn(func() bool { return true }); !debt || n.r.counters.Draining > 64 {
		t.Errorf("debt %v, %d told by a turn without time", debt, n.r.counters.Draining)
	}
}

// Messages that wait for a client that still reads are not dropped because many linger.
func TestStopWaitsForQueuedMessagesBeyondTheLingerBound(t *testing.T) {
	n := newNode(t, rigConfig{AdmitRate: 1e6, Handler: handler{
		Message: func(s *caller, id uint64, body []byte) { _, _ = s.Deliver(body) },
	}})
	slot, p := n.join()
	p.blocked = true
	n.send(slot, codec.AppendSend(nil, 1, make([]byte, 1000)))
	for n.r.node.Conns.BeginLinger(false) {
	}
	n.r.node.Stopping.Store(true)
	n.run(n.r.cfg.Tick)
	if p.closed || p.finished {
		t.Fatal("the connection is closed over its queue")
	}
	p.blocked, p.queued = false, 0
	n.run(2 * n.r.cfg.Tick)
	if !p.finished {
		t.Error("the write side is not ended when the queue is empty")
	}
}

var elsewhere = []string{"127.0.0.1:1"}

func TestDrainHandsOverAndEnds(t *testing.T) {
	const clients, rate = 100, 200
	const grace = 300 * time.Millisecond
	var log lines
	srv := startNode(t, Config{Alternates: elsewhere, AdmitRate: 1e6, FailoverRate: rate, DrainGrace: grace, Loops: 2,
		Logger: slog.New(slog.NewTextHandler(&log, nil))})
	var all []*wire
	for i := range clients {
		w, _ := joinNode(t, srv, fmt.Sprint("c", i))
		all = append(all, w)
	}
	began := time.Now()
	ended := make(chan error, 1)
	go func() { ended <- srv.Drain(context.Background()) }()
	eventually(t, "the drain begins", srv.node.Drain.On)
	dialNode(t, srv).wantGoAway(codec.CodeDraining) // within the grace
	told := make([]time.Duration, clients)
	var wait sync.WaitGroup
	for i, w := range all {
		wait.Go(func() {
			f, err := w.next()
			m, _ := codec.ParseGoAway(f.Payload)
			if told[i] = time.Since(began); err != nil || m.Code != codec.CodeDraining {
				t.Errorf("told by %v %v, %v", f.Type, m.Code, err)
			}
			time.Sleep(300 * time.Millisecond)
			_, _ = w.Write(codec.AppendBye(nil))
			_, _ = w.next() // the server closes
			_ = w.Close()
		})
	}
	wait.Wait()
	slices.Sort(told)
	if told[0] < grace {
		t.Errorf("the first was told after %v, within the grace", told[0])
	}
	paced := grace + (clients-1)*time.Second/rate
	if last := told[clients-1]; last < paced-100*time.Millisecond-10*time.Millisecond || last > paced+time.Second {
		t.Errorf("the last was told after %v, want about %v", last, paced)
	}
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("Drain = %v", err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("Drain does not end when all have left")
	}
	if st := srv.Stats(); st.Moved != clients {
		t.Errorf("%d moved, want %d", st.Moved, clients)
	}
	if !strings.Contains(log.String(), "msg=drained moved=100 left=0") {
		t.Errorf("the log does not say how it went:\n%s", log.String())
	}
}

// A client that was told and stays is told again, that the node stops, and when to return.
func TestDrainDoesNotWaitForEverForWhoStays(t *testing.T) {
	const linger = 1300 * time.Millisecond // more than a second: then there is a line on how it goes
	var log lines
	srv := startNode(t, Config{Alternates: elsewhere, DrainGrace: -1, Tick: 10 * time.Millisecond, FailoverRate: 0.5,
		Logger: slog.New(slog.NewTextHandler(&log, nil))})
	srv.drainLinger = linger
	w, _ := joinNode(t, srv, "stays")
	began := time.Now()
	ended := make(chan error, 1)
	go func() { ended <- srv.Drain(context.Background()) }()
	w.wantGoAway(codec.CodeDraining)
	told := time.Since(began)
	m, err := codec.ParseGoAway(w.want(codec.GoAway).Payload)
	if stayed := time.Since(began) - told; err != nil || m.Code != codec.CodeShutdown || m.Window == 0 || stayed < linger-50*time.Millisecond {
		t.Errorf("after %v more: %+v, %v", stayed, m, err)
	}
	_ = w.Close()
	if err := <-ended; err != nil || srv.Stats().Moved != 0 {
		t.Errorf("Drain = %v, %d moved", err, srv.Stats().Moved)
	}
	if !strings.Contains(log.String(), "msg=draining left=1 told=1 moved=0") {
		t.Errorf("the log does not say how it goes:\n%s", log.String())
	}
}

func TestDrainWithoutClientsEndsAtOnce(t *testing.T) {
	srv := startNode(t, Config{DrainGrace: time.Hour})
	began := time.Now()
	if err := srv.Drain(context.Background()); err != nil || time.Since(began) > 5*time.Second {
		t.Errorf("Drain = %v after %v", err, time.Since(began))
	}
}

func TestDrainStopsHardWhenItsContextEnds(t *testing.T) {
	srv := startNode(t, Config{DrainGrace: time.Hour})
	joinNode(t, srv, "stays") // a farewell would wait 2 s for it
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	began := time.Now()
	if err := srv.Drain(ctx); err != nil || time.Since(began) > 1900*time.Millisecond {
		t.Errorf("Drain = %v after %v", err, time.Since(began))
	}
}

// lines is a log that may be read while it is written.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
