package reactor

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/gate"
)

func goAwayFrame(t *testing.T, m codec.GoAwayMessage) []byte {
	t.Helper()
	b, err := codec.AppendGoAway(nil, &m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The application's own words are told, in a callback and from elsewhere, behind what came before.
func TestACloseSaysWhatTheApplicationSays(t *testing.T) {
	own := codec.GoAwayMessage{Code: 3450, Delay: time.Minute, Window: time.Second, Reason: []byte("maintenance"), Alternates: []byte("c:1,d:1")}
	frame := goAwayFrame(t, own)
	for _, within := range []bool{true, false} {
		n := newNode(t, rigConfig{Handler: handler{Message: func(s *caller, _ uint64, _ []byte) {
			_ = s.Deliver([]byte("before"))
			_ = s.r.mailbox.Deliver(s.r.Handle(s.slot), []byte("posted before"))
			_ = s.r.mailbox.Deliver(s.r.Handle(s.slot), []byte("and this"))
			if within {
				s.r.Kick(3450, frame)
			} else {
				s.r.mailbox.Close(s.r.Handle(s.slot), 3450, frame)
			}
		}}})
		slot, p := n.join()
		n.send(slot, codec.AppendSend(nil, 1, nil))
		n.run(n.r.cfg.Tick)
		all := frames(t, p.in)
		if got := frameTypes(t, p.in); !slices.Equal(got, []codec.Type{codec.Deliver, codec.Deliver, codec.Deliver, codec.GoAway}) {
			t.Fatalf("within %v: it got %v", within, got)
		}
		m, err := codec.ParseGoAway(all[3].Payload)
		if err != nil || m.Code != 3450 || m.Delay != time.Minute || m.Window != time.Second || string(m.Reason) != "maintenance" || string(m.Alternates) != "c:1,d:1" {
			t.Errorf("within %v: told %+v, %v", within, m, err)
		}
		n.wantClosed(ReasonKicked, 1)
		if n.r.counters.GoAways != 1 || !p.finished || p.farewell != 3450 {
			t.Errorf("within %v: %d GOAWAYs, finished %v, farewell %v", within, n.r.counters.GoAways, p.finished, p.farewell)
		}
		// What it said is nobody else's.
		other, q := n.join()
		n.r.kick = codec.CodeKicked
		n.r.finish(other, ReasonKicked)
		if all := frames(t, q.in); string(mustGoAway(t, all[0]).Reason) != "kicked" {
			t.Errorf("another one is told %q", mustGoAway(t, all[0]).Reason)
		}
	}
}

func mustGoAway(t *testing.T, f codec.Frame) codec.GoAwayMessage {
	t.Helper()
	m, err := codec.ParseGoAway(f.Payload)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// A panic after Close ends the session as a panic does.
func TestAPanicOverrulesAClose(t *testing.T) {
	n := newNode(t, rigConfig{Handler: handler{Message: func(s *caller, _ uint64, _ []byte) {
		s.r.Kick(3900, goAwayFrame(t, codec.GoAwayMessage{Code: 3900}))
		s.r.Panicked()
	}}})
	slot, p := n.join()
	n.send(slot, codec.AppendSend(nil, 1, nil))
	if lastCode(t, p) != codec.CodeInternal {
		t.Errorf("it is told %v", lastCode(t, p))
	}
	n.wantClosed(ReasonInternal, 1)
}

// One session moves: it is served until it has gone, may be asked again, and a drain asks it again.
func TestAMoveOfOne(t *testing.T) {
	handled := 0
	n := newNode(t, rigConfig{AdmitRate: 1e6, Alternates: []string{"b:1"}, Handler: handler{Message: func(*caller, uint64, []byte) { handled++ }}})
	slot, p := n.join()
	other, q := n.join()
	move := goAwayFrame(t, codec.GoAwayMessage{Code: codec.CodeDraining, Alternates: []byte("c:1")})
	for range 2 {
		if err := n.r.mailbox.Move(n.r.Handle(slot), move); err != nil {
			t.Fatal(err)
		}
	}
	n.run(n.r.cfg.Tick)
	if got := frameTypes(t, p.in); !slices.Equal(got, []codec.Type{codec.GoAway, codec.GoAway}) || n.r.counters.Draining != 0 {
		t.Errorf("it got %v; %d count as told by a drain", got, n.r.counters.Draining)
	}
	if !n.r.ToldToMove(slot) || n.r.ToldToMove(other) || p.finished {
		t.Error("who was asked to move, and who was not, or its connection ends")
	}
	n.send(slot, codec.AppendPing(codec.AppendSend(nil, 1, nil), 1, 0))
	if handled != 1 {
		t.Error("it is not served")
	}
	p.in = nil
	n.drain(1e6)
	n.run(n.r.cfg.Tick)
	if lastCode(t, p) != codec.CodeDraining || lastCode(t, q) != codec.CodeDraining || n.r.counters.Draining != 2 {
		t.Errorf("a drain after it: told %v and %v, %d in all", lastCode(t, p), lastCode(t, q), n.r.counters.Draining)
	}
	if err := n.r.mailbox.Move(n.r.Handle(other), move); err != nil {
		t.Fatal(err)
	}
	n.run(n.r.cfg.Tick)
	n.send(slot, codec.AppendBye(nil))
	n.send(other, codec.AppendBye(nil))
	if c := n.r.counters; c.Moved != 2 || c.Draining != 0 {
		t.Errorf("%d moved, %d draining", c.Moved, c.Draining)
	}
	n.r.node.Drain = gate.Drain{}
	if again, _ := n.join(); n.r.ToldToMove(again) {
		t.Error("the slot's next session was asked before it came")
	}
}

// Of one callback no more than MaxQueued waits, moves included.
func TestAMoveIsBoundedAsMessagesAre(t *testing.T) {
	move := goAwayFrame(t, codec.GoAwayMessage{Code: codec.CodeDraining, Alternates: []byte("c:1")})
	var err error
	n := newNode(t, rigConfig{Handler: handler{Message: func(s *caller, _ uint64, _ []byte) {
		for range 1 << 20 {
			if err = s.r.Move(s.slot, move); err != nil {
				return
			}
		}
	}}})
	slot, _ := n.join()
	if n.send(slot, codec.AppendSend(nil, 1, nil)); !errors.Is(err, ErrQueue) {
		t.Errorf("without an end: %v", err)
	}
}

// Do is called as a callback is: what it writes leaves, it may close, and it fails alone.
func TestDoIsACallback(t *testing.T) {
	var closed []Reason
	n := newNode(t, rigConfig{Handler: handler{Closed: func(_ *caller, why Reason) { closed = append(closed, why) }}})
	slot, p := n.join()
	other, q := n.join()
	do := func(slot Slot, f func(s *caller)) {
		t.Helper()
		if err := n.r.mailbox.Call(n.r.Handle(slot), func(slot Slot) { f(&caller{r: n.r, slot: slot}) }); err != nil {
			t.Fatal(err)
		}
	}
	do(slot, func(s *caller) { _, _ = s.Deliver([]byte("hi")), s.Ack(1) })
	n.run(n.r.cfg.Tick)
	if got := frameTypes(t, p.in); !slices.Equal(got, []codec.Type{codec.Deliver, codec.Ack}) || p.writes != 1 {
		t.Errorf("it got %v in %d writes", got, p.writes)
	}
	do(slot, func(s *caller) { s.Close(3900) })
	do(slot, func(s *caller) { _ = s.Deliver([]byte("posted before the end")) })
	do(other, func(s *caller) { s.r.Panicked() })
	_ = n.r.mailbox.Deliver(n.r.Handle(other), nil)
	n.run(n.r.cfg.Tick)
	if got := frameTypes(t, p.in); !slices.Equal(got, []codec.Type{codec.Deliver, codec.Ack, codec.Deliver, codec.GoAway}) {
		t.Errorf("in all it got %v", got)
	}
	do(slot, func(*caller) { t.Error("called for a session that has ended") })
	n.run(n.r.cfg.Tick)
	if lastCode(t, p) != 3900 || lastCode(t, q) != codec.CodeInternal || !slices.Equal(closed, []Reason{ReasonKicked, ReasonInternal}) {
		t.Errorf("told %v and %v, closed %v", lastCode(t, p), lastCode(t, q), closed)
	}
	if n.r.counters.Stale != 2 { // the Deliver, and the last
		t.Errorf("%d stale", n.r.counters.Stale)
	}
	// Of two that close, the one that was posted last and still came counts.
	third, u := n.join()
	do(third, func(s *caller) { s.Close(3900) })
	do(third, func(s *caller) { s.Close(3901) })
	n.run(n.r.cfg.Tick)
	if goAwayCode(t, u) != 3901 || len(closed) != 3 {
		t.Errorf("told %v, closed %v", lastCode(t, u), closed)
	}
}
