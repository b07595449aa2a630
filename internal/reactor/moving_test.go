package reactor

import (
	"fmt"
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
		Message: func(s *caller, id uint64, body []byte) { _ = s.DeliverAwaited(body, "x"); _ = s.Ack(id) },
		Settled: func(o Outcome, _ Waiter) {
			if o.Result == Acknowledged {
				acked++
			}
		},
	}})
	n.r.cfg.Alternates = []byte("b:1")
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
	n.send(slot, codec.AppendAck(nil, codec.AckOf(1)))
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
	n.r.cfg.Alternates = []byte("b:1")
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
