package reactor

import (
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/timingwheel"
)

// knock is a client that comes as the event loop takes it in: into a place, or beyond them.
func (n *node) knock(id string, pass []byte) (codec.WelcomeMessage, codec.GoAwayMessage, timingwheel.ID) {
	n.t.Helper()
	slot, p := n.dial()
	switch g := n.r.node.Conns; {
	case g.Enter():
		n.r.joinPending(slot, admitted)
	case g.Knock():
		n.r.joinPending(slot, knocking)
	default:
		n.t.Fatal("the gate lets nobody knock")
	}
	b, err := codec.AppendHello(nil, &codec.HelloMessage{MinVersion: 1, MaxVersion: 1, ClientID: []byte(id), ReturnPass: pass})
	if err != nil {
		n.t.Fatal(err)
	}
	n.send(slot, b)
	w, g := answer(n.t, p)
	return w, g, slot
}

func (n *node) wantPlaces(conns, knocking int64) {
	n.t.Helper()
	if g := n.r.node.Conns; g.Open() != conns || g.Knocking() != knocking {
		n.t.Errorf("%d places taken and %d knock, want %d and %d", g.Open(), g.Knocking(), conns, knocking)
	}
}

// A client that is back before its old connection is known to be dead takes that one's
// place, in a full house too; a stranger does not.
func TestWhoReturnsTakesThePlaceOfItsGhost(t *testing.T) {
	n := newNode(t, rigConfig{MaxConns: 2})
	old, _, ghost := n.knock("alice", nil)
	n.knock("bob", nil)
	if _, g, _ := n.knock("carol", nil); g.Code != codec.CodeFull {
		t.Fatalf("a stranger in a full house gets %v, want full", g.Code)
	}
	if _, g, _ := n.knock("carol", old.ReturnPass); g.Code != codec.CodeFull {
		t.Fatalf("somebody else's pass in a full house gets %v, want full", g.Code)
	}
	n.run(3 * time.Second) // the refused have gone
	n.wantPlaces(2, 0)
	fresh, _, _ := n.knock("alice", old.ReturnPass)
	if fresh.Session == (codec.SessionID{}) {
		t.Fatal("who returns is not welcomed in a full house")
	}
	n.wantPlaces(2, 1) // until the ghost's loop has ended it
	n.runClosings()
	n.wantPlaces(2, 0)
	if !n.net.peers[ghost].aborted || n.r.counters.Closes[ReasonSuperseded] != 1 {
		t.Error("the ghost is still there")
	}
	if n.r.counters.Sessions != 2 {
		t.Errorf("%d sessions, want 2", n.r.counters.Sessions)
	}
}

// A pass whose session ended long ago is no way around the bound.
func TestPassOfAnEndedSessionIsNoPlace(t *testing.T) {
	n := newNode(t, rigConfig{MaxConns: 1})
	old, _, ghost := n.knock("alice", nil)
	n.r.Closed(ghost, ReasonPeerClosed)
	n.knock("bob", nil)
	again, _, slot := n.knock("alice", old.ReturnPass)
	if again.Session == (codec.SessionID{}) {
		t.Fatal("not welcomed: only the ghost's loop can know that it is gone")
	}
	n.runClosings() // that of the ghost
	n.runClosings() // that of the heir
	if n.r.sessions.at(slot).state == stateReady {
		t.Error("the session without a place goes on")
	}
	n.run(3 * time.Second)
	n.wantPlaces(1, 0)
}

func TestHeirThatGoesBeforeItsGhostLeavesNoPlaceBehind(t *testing.T) {
	n := newNode(t, rigConfig{MaxConns: 1})
	old, _, _ := n.knock("alice", nil)
	_, _, heir := n.knock("alice", old.ReturnPass)
	n.r.Closed(heir, ReasonPeerClosed)
	n.runClosings()
	n.wantPlaces(0, 0)
}

// Without a full house the ghost goes too, and a client of another node's pass has none here.
func TestGhostEndsWhenItsClientIsBack(t *testing.T) {
	n := newNode(t, rigConfig{})
	old, _, ghost := n.knock("alice", nil)
	other := old.Session
	other.Epoch++
	pass := n.r.node.Seals.Pass(nil, n.r.wall().Add(time.Hour), other, 0, []byte("alice"))
	n.knock("alice", pass)
	n.runClosings()
	if n.r.sessions.at(ghost).state != stateReady {
		t.Fatal("a pass of another run ended a session")
	}
	n.knock("alice", old.ReturnPass)
	n.runClosings()
	n.wantClosed(ReasonSuperseded, 1)
	n.wantPlaces(2, 0)
}

// A client that has sent FIN is not there to be welcomed.
func TestWhoHasGoneIsNotWelcomed(t *testing.T) {
	n := newNode(t, rigConfig{})
	slot, p := n.dial()
	p.left, p.waited = true, 7*time.Second
	n.r.receive(n.now, slot, hello("alice"))
	if len(p.in) != 0 || !p.closed || n.r.counters.Gone != 1 || n.r.counters.Sessions != 0 {
		t.Errorf("answered with %d bytes, closed %v, gone %d", len(p.in), p.closed, n.r.counters.Gone)
	}
	if n.r.waited != 7*time.Second {
		t.Errorf("its wait counts as %v, want 7s", n.r.waited)
	}
}

// Silent connections that knock at a full house do not keep out those who return.
func TestSilentKnockersMakeRoomForWhoReturns(t *testing.T) {
	n := newNode(t, rigConfig{MaxConns: 1})
	old, _, _ := n.knock("alice", nil)
	g := n.r.node.Conns
	g.MaxPending.Store(4)
	g.MaxKnocking.Store(8)
	for range 8 {
		slot, _ := n.dial()
		if !g.Knock() {
			t.Fatal("nobody may knock")
		}
		n.r.joinPending(slot, knocking)
	}
	n.turn(never)
	n.run(3 * time.Second) // until the farewells are over
	if again, _, _ := n.knock("alice", old.ReturnPass); again.Session == (codec.SessionID{}) {
		t.Error("who returns is not welcomed")
	}
}

// A ghost that lingers has its place still, and leaves it to its client.
func TestLingeringGhostLeavesItsPlace(t *testing.T) {
	n := newNode(t, rigConfig{MaxConns: 1})
	old, _, ghost := n.knock("alice", nil)
	n.r.sendAway(ghost, ReasonRateLimit, linger)
	_, _, slot := n.knock("alice", old.ReturnPass)
	n.runClosings()
	n.runClosings()
	if n.r.sessions.at(slot).state != stateReady {
		t.Error("the heir was sent away")
	}
	n.wantPlaces(1, 0)
	n.run(3 * time.Second)
	n.wantPlaces(1, 0)
}

// Where hardly a place is free, who returns has one place and not two, so that there is one for who has none.
func TestWhoReturnsLeavesRoomInANearlyFullHouse(t *testing.T) {
	n := newNode(t, rigConfig{MaxConns: 32})
	n.r.node.Conns.MaxLingering = 4
	var first []*peer
	for id := range 24 {
		_, p := n.come(uint64(id), 1, nil)
		first = append(first, p)
	}
	for id, p := range first {
		if _, q := n.come(uint64(id), 2, passOf(t, p)); !welcomed(t, q) {
			t.Fatalf("%d is not welcomed again", id)
		}
		n.runClosings()
		n.runClosings()
		if open := n.r.node.Conns.Open(); open > 31 {
			t.Fatalf("%d of 32 places are taken, after %d of 24 have returned", open, id+1)
		}
	}
	if _, p := n.come(99, 1, nil); !welcomed(t, p) {
		t.Error("a newcomer is not welcomed")
	}
	n.run(5 * time.Second)
	n.wantPlaces(25, 0)
	if n.r.node.Conns.Lingering() != 0 {
		t.Error("somebody lingers")
	}
}
