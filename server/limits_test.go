package server

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/gate"
	"github.com/stormwheel/stormwheel/timingwheel"
)

func TestRefusalsAreLoggedOnceASecondAtMost(t *testing.T) {
	var r refusals
	var log lines
	logger := slog.New(slog.NewTextHandler(&log, nil))
	for now := time.Second; now < 4*time.Second; now += time.Millisecond {
		r.log(logger, gate.NewConns(1000, 10, 1, loopDescriptors, 100), now, ReasonFull)
	}
	if got := strings.Count(log.String(), "level=WARN msg=\"connections are being refused: no room\" reason=full"); got != 3 {
		t.Errorf("%d lines for refusals of three seconds, want 3:\n%.500s", got, log.String())
	}
}

// Silent connections fill their share and no more: who is in stays in, newcomers come in
// all the same, and the share is free again when the deadline has cleared it.
func TestSilentConnectionsFillOnlyTheirShare(t *testing.T) {
	for _, loops := range []int{1, 4} {
		t.Run(fmt.Sprint(loops, " loops"), func(t *testing.T) { silentConnectionsFillTheirShare(t, loops) })
	}
}

func silentConnectionsFillTheirShare(t *testing.T, loops int) {
	s := startNode(t, Config{MaxConns: 800, Loops: loops, Tick: 20 * time.Millisecond, HelloTimeout: 4 * time.Second})
	in, _ := joinNode(t, s, "first")
	var silent []*wire
	for range minPending {
		silent = append(silent, dialNode(t, s))
		eventually(t, "the first comes first", func() bool { return s.node.Conns.Pending() > 0 })
	}
	eventually(t, "the share is full", func() bool { return s.node.Conns.Pending() == minPending })
	late := dialNode(t, s)
	silent[0].wantGoAway(codec.CodeFull) // the oldest
	in.send(codec.AppendPing(nil, 1, 0))
	in.want(codec.Pong)
	eventually(t, "counted", func() bool {
		st := s.Stats()
		return st.Closes[ReasonPending] == 1 && st.Pending == minPending && st.MaxPending == minPending
	})
	late.send(helloFrame("late"))
	late.want(codec.Welcome)
	for range 50 { // a flood goes on, and honest clients come in through it
		silent = append(silent, dialNode(t, s), dialNode(t, s))
		joinNode(t, s, "honest")
	}
	eventually(t, "the flood is cut to its share", func() bool { return s.node.Conns.Pending() <= minPending })
	displaced := 1
	for _, w := range silent[1:] {
		m, err := codec.ParseGoAway(w.want(codec.GoAway).Payload)
		switch {
		case err == nil && m.Code == codec.CodeFull:
			displaced++
		case err != nil || m.Code != codec.CodeHelloTimeout:
			t.Errorf("a silent client is told %v, %v", m.Code, err)
		}
		w.Close()
	}
	if displaced < 95 || displaced > 105 {
		t.Errorf("%d were displaced by 101 beyond the share", displaced)
	}
	eventually(t, "the share is empty", func() bool { return s.node.Conns.Pending() == 0 })
	for range minPending + 20 { // sessions do not count
		joinNode(t, s, "many")
	}
}

// Who has spoken is not silent, even when the loop has not read it yet.
func TestUnreadHelloIsNotDisplaced(t *testing.T) {
	n := newNode(t, rigConfig{MaxConns: 800})
	first, spoke := n.dial()
	n.r.joinPending(first, admitted)
	spoke.unread = 40
	var silent []*peer
	for range leastPending + 9 {
		slot, p := n.dial()
		n.r.joinPending(slot, admitted)
		silent = append(silent, p)
	}
	n.turn(never)
	n.wantClosed(ReasonPending, 10)
	for i, p := range silent {
		if p.finished != (i < 10) && !p.closed {
			t.Errorf("silent connection %d: told to go %v", i, p.finished)
		}
	}
	if spoke.finished || spoke.closed {
		t.Error("a connection with an unread HELLO was displaced")
	}
	n.send(first, hello("alice"))
	if n.r.counters.Sessions != 1 || n.r.node.Conns.Pending() != leastPending-1 {
		t.Errorf("%d sessions, %d pending", n.r.counters.Sessions, n.r.node.Conns.Pending())
	}
}

// The oldest of the node goes, wherever it is: a loop whose only connection has just come does
// not send that one away for the silent ones of another loop.
func TestTheOldestSilentOfAllLoopsGoes(t *testing.T) {
	old := newNode(t, rigConfig{MaxConns: 800})
	young := newNode(t, rigConfig{MaxConns: 800})
	young.r.node, young.r.index = old.r.node, old.r.index+1
	arrive := func(n *node, at time.Duration) (timingwheel.ID, *peer) {
		n.now = at
		n.r.observe(at)
		slot, p := n.dial()
		n.r.joinPending(slot, admitted)
		return slot, p
	}
	began := old.now
	var silent []*peer
	for i := range leastPending {
		_, p := arrive(old, began+time.Duration(i)*time.Microsecond)
		silent = append(silent, p)
	}
	var newcomers []timingwheel.ID
	for i := range 17 {
		slot, p := arrive(young, began+100*time.Millisecond)
		newcomers = append(newcomers, slot)
		if more := young.r.makeRoom(never); more || p.finished || p.closed {
			t.Fatalf("newcomer %d is sent away for the silent ones of another loop (more %v)", i, more)
		}
		if index, any := old.r.node.Silences.Oldest(); !any || index != old.r.index {
			t.Fatalf("the oldest is on loop %d, %v", index, any)
		}
		old.r.makeRoom(never)
		if !silent[i].finished && !silent[i].closed || silent[i+1].finished || silent[i+1].closed {
			t.Fatalf("newcomer %d does not take the place of the oldest", i)
		}
	}
	for _, slot := range newcomers[1:] {
		young.send(slot, hello("alice"))
	}
	if young.r.counters.Sessions != 16 {
		t.Errorf("%d newcomers are in, want 16", young.r.counters.Sessions)
	}
	// When the silent ones are gone, that of the other loop is next.
	old.run(6 * time.Second)
	if index, any := old.r.node.Silences.Oldest(); !any || index != young.r.index || old.r.node.Conns.Pending() != 1 {
		t.Errorf("the oldest is on loop %d, %v, want that of the newcomer; %d are pending", index, any, old.r.node.Conns.Pending())
	}
	young.run(6 * time.Second)
	if index, any := old.r.node.Silences.Oldest(); any {
		t.Errorf("nobody is silent, says loop %d", index)
	}
}

// A frame is charged once, in however many reads it arrives.
func TestAFrameInFragmentsIsChargedOnce(t *testing.T) {
	s := startNode(t, Config{MaxFrameRate: 1, Handler: Handler{Message: func(s *Session, id uint64, _ []byte) { _ = s.Ack(id) }}})
	w, _ := joinNode(t, s, "a")
	for _, b := range codec.AppendSend(nil, 1, make([]byte, 200)) {
		w.send([]byte{b})
		time.Sleep(time.Millisecond) // so that each byte is a read of its own
	}
	w.want(codec.Ack)
}
