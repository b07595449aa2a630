package reactor

import (
	"slices"
	"testing"

	"github.com/stormwheel/stormwheel/codec"
)

// A round reaches every session, in steps, sends what its visit says, and ends when that says so.
func TestARoundVisitsEverybody(t *testing.T) {
	n := newNode(t, rigConfig{})
	var peers []*peer
	for range 500 {
		_, p := n.join()
		peers = append(peers, p)
	}
	frame := codec.AppendDeliver(nil, 0, []byte("hello"))
	done := 0
	n.r.BeginRound(&Round{Visit: func(slot Slot) ([]byte, bool) {
		if slot%2 == 0 {
			return nil, true
		}
		return frame, true
	}, Done: func() { done++ }})
	visited := 0
	n.r.BeginRound(&Round{Visit: func(Slot) ([]byte, bool) { visited++; return nil, visited < 100 }, Done: func() { done++ }})
	if n.r.bring(func() bool { return true }); done != 0 {
		t.Error("a round is over within a step")
	}
	n.bringAll()
	got := 0
	for _, p := range peers {
		got += len(bodies(t, p))
	}
	if got != 250 || visited != 100 || done != 2 {
		t.Errorf("%d got it, want 250; %d were visited, want 100; %d rounds are done, want 2", got, visited, done)
	}
}

// Nobody knows how long a visit of an application takes, so a turn may end behind each, and between rounds that end
// at once.
func TestATurnEndsBehindAVisitThatIsSlow(t *testing.T) {
	n := newNode(t, rigConfig{})
	for range 10 {
		n.join()
	}
	visits, rounds := 0, 0
	n.r.BeginRound(&Round{Foreign: true, Visit: func(Slot) ([]byte, bool) { visits++; return nil, true }})
	for range 10 {
		n.r.BeginRound(&Round{Visit: func(Slot) ([]byte, bool) { return nil, false }, Done: func() { rounds++ }})
	}
	over := func() bool { return true }
	for turn := 1; turn <= 10; turn++ {
		if n.r.bring(over); visits != turn {
			t.Fatalf("%d visits in %d turns", visits, turn)
		}
	}
	for n.r.bringing() {
		before := rounds
		if n.r.bring(over); rounds > before+1 {
			t.Fatalf("%d rounds end in a turn that is over", rounds-before)
		}
	}
	if rounds != 10 {
		t.Errorf("%d rounds ended", rounds)
	}
}

// What was accepted for many goes out before the goodbye of a stop.
func TestAStopWaitsForWhatIsOnItsWayToMany(t *testing.T) {
	n := newNode(t, rigConfig{})
	var peers []*peer
	for range 200 {
		slot, p := n.join()
		if err := n.r.JoinGroup(slot, "g"); err != nil {
			t.Fatal(err)
		}
		peers = append(peers, p)
	}
	n.publish("g", "group")
	frame := codec.AppendDeliver(nil, 0, []byte("all"))
	n.r.BeginRound(&Round{Visit: func(Slot) ([]byte, bool) { return frame, true }})
	n.r.node.Stopping.Store(true)
	for turn := 0; !n.r.allTold; turn++ {
		if n.turn(func() bool { return true }); turn > 1_000 {
			t.Fatal("the node never stops")
		}
	}
	for i, p := range peers {
		if got := frameTypes(t, p.in); !slices.Equal(got, []codec.Type{codec.Deliver, codec.Deliver, codec.GoAway}) {
			t.Fatalf("client %d was sent %v", i, got)
		}
	}
}

// A stop that has no time tells all, whatever is on its way: they must know when to come back.
func TestAHurriedStopWaitsForNothing(t *testing.T) {
	n := newNode(t, rigConfig{})
	var peers []*peer
	for range 200 {
		_, p := n.join()
		peers = append(peers, p)
	}
	n.r.BeginRound(&Round{Visit: func(slot Slot) ([]byte, bool) {
		n.r.rounds[0].Next = slot // there is no end to it
		return nil, true
	}})
	n.r.node.Stopping.Store(true)
	for range 50 {
		n.turn(func() bool { return true })
	}
	if lastCode(t, peers[0]) != 0 {
		t.Error("a stop with time does not wait")
	}
	n.r.node.Hurry.Store(true)
	for range 50 {
		n.turn(func() bool { return true })
	}
	for i, p := range peers {
		if code := lastCode(t, p); code != codec.CodeShutdown {
			t.Fatalf("client %d is told %v", i, code)
		}
	}
}

// What a visit sends may end its session, whose connection has gone then: what the round brings is for the others.
func TestARoundWritesNothingToWhomItsVisitHasEnded(t *testing.T) {
	n := newNode(t, rigConfig{})
	slot, p := n.join()
	_, other := n.join()
	frame := codec.AppendDeliver(nil, 0, []byte("hello"))
	n.r.BeginRound(&Round{Visit: func(at Slot) ([]byte, bool) {
		if p.reset = at == slot; p.reset { // as the write of this finds
			if err := n.r.Deliver(slot, []byte("own")); err != nil {
				t.Error(err)
			}
		}
		return frame, true
	}})
	n.bringAll()
	n.wantClosed(ReasonPeerReset, 1)
	if got := bodies(t, other); !slices.Equal(got, []string{"hello"}) || n.r.counters.Delivers != 2 {
		t.Errorf("the other got %q; %d were written, want what its visit sent and the other's", got, n.r.counters.Delivers)
	}
}
