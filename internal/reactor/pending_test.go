package reactor

import (
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/timingwheel"
)

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

// Who waits for its turn with its stage takes no place of those that are to say something, and is the last of them
// when that has come.
func TestWhoWaitsForItsTurnIsNotPending(t *testing.T) {
	n := newNode(t, rigConfig{MaxConns: 800})
	quick, served := n.dial()
	n.r.joinPending(quick, admitted)
	n.r.Waits(quick)
	var waiting []*peer
	var slots []Slot
	for range leastPending {
		slot, p := n.dial()
		n.r.joinPending(slot, admitted)
		n.r.Waits(slot)
		slots, waiting = append(slots, slot), append(waiting, p)
	}
	var silent []*peer
	for range leastPending {
		slot, p := n.dial()
		n.r.joinPending(slot, admitted)
		silent = append(silent, p)
	}
	n.r.makeRoom(never)
	n.wantClosed(ReasonPending, 0)
	n.r.Goes(quick, false)
	n.turn(never)
	if n.wantClosed(ReasonPending, 1); !silent[0].finished || served.finished {
		t.Fatal("who came first and has had its turn just now is taken for silent")
	}
	for i, slot := range slots[:10] {
		i++
		n.r.Goes(slot, false)
		n.turn(never)
		n.wantClosed(ReasonPending, uint64(i+1))
		if !silent[i].finished || silent[i+1].finished || waiting[i].finished {
			t.Fatalf("when the turn of %d has come, the oldest that is silent goes: %v", i, silent[i].finished)
		}
	}
	if pending := n.r.node.Conns.Pending(); pending != leastPending {
		t.Errorf("%d are pending, want %d", pending, leastPending)
	}
	n.run(6 * time.Second)
	if pending := n.r.node.Conns.Pending(); pending != 0 {
		t.Errorf("%d are pending when all have ended", pending)
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
