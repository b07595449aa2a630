package reactor

import (
	"crypto/rand"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/gate"
)

// newLoops makes the loops of one node. What one says to another waits in its closings until
// runClosings, or its next turn.
func newLoops(t testing.TB, count int, cfg rigConfig) (all []*node) {
	t.Helper()
	cfg = cfg.fill()
	shared := gate.NewNode(cfg.gate(), rand.Reader)
	shared.Epoch, shared.Name, shared.Conns = 7, []byte("n1"), gate.NewConns(20000, 10, count, 3, cfg.MaxConns)
	for i := range count {
		n := &node{t: t, now: time.Hour, net: &network{peers: make(map[Slot]*peer)}}
		r, err := New(cfg.settings(), Env{Node: shared, Loop: uint8(i), Transport: n.net,
			App:     &stage{handler: cfg.Handler, n: n, origins: make(map[Slot]Origin), previous: make(map[uint64]uint64)},
			Forward: func(c Closing) { all[c.Loop()].closings = append(all[c.Loop()].closings, c) },
			Wall:    func() time.Time { return time.UnixMilli(1_700_000_000_000) }}, n.now)
		if err != nil {
			t.Fatal(err)
		}
		n.r, n.net.r = r, r
		all = append(all, n)
		t.Cleanup(func() { r.Release() })
	}
	return all
}

// say runs what loops have said to each other, until nobody says more.
func say(loops []*node) {
	for said := true; said; {
		said = false
		for _, n := range loops {
			said = said || len(n.closings) > 0
			n.runClosings()
		}
	}
}

// runAll lets the time pass on all loops.
func runAll(loops []*node, d time.Duration) {
	for left := d; left > 0; left -= loops[0].r.cfg.Tick {
		for _, n := range loops {
			n.run(min(left, n.r.cfg.Tick))
		}
		say(loops)
	}
}

// come is a HELLO of alice in a place of the node, with the pass of an earlier session.
func (n *node) come(incarnation uint64, attempt uint32, pass []byte) (Slot, *peer) {
	n.t.Helper()
	slot, p := n.dial()
	n.arrive(slot, incarnation, attempt, pass)
	return slot, p
}

// arrive says it over a connection that is there.
func (n *node) arrive(slot Slot, incarnation uint64, attempt uint32, pass []byte) {
	n.t.Helper()
	switch g := n.r.node.Conns; {
	case g.Enter():
		n.r.joinPending(slot, admitted)
	case g.Knock():
		n.r.joinPending(slot, knocking)
	default:
		n.t.Fatal("the gate lets nobody knock")
	}
	b, err := codec.AppendHello(nil, &codec.HelloMessage{MinVersion: 1, MaxVersion: 1, ClientID: []byte("alice"),
		Incarnation: incarnation, Attempt: attempt, ReturnPass: pass})
	if err != nil {
		n.t.Fatal(err)
	}
	n.r.receive(n.now, slot, b)
}

// lastCode is that of the last GOAWAY which a peer was sent, 0 if there is none.
func lastCode(t *testing.T, p *peer) (code codec.Code) {
	t.Helper()
	for _, f := range frames(t, p.in) {
		if f.Type == codec.GoAway {
			m, err := codec.ParseGoAway(f.Payload)
			if err != nil {
				t.Fatal(err)
			}
			code = m.Code
		}
	}
	return code
}

func welcomed(t *testing.T, p *peer) bool {
	t.Helper()
	all := frames(t, p.in)
	return len(all) > 0 && all[0].Type == codec.Welcome
}

// sessions counts those that are served, on all loops.
func served(loops []*node) (n int) {
	for _, l := range loops {
		for slot := range l.net.peers {
			if s := l.r.sessions.at(slot); s.state == stateReady && !s.is(superseded) {
				n++
			}
		}
	}
	return n
}

// wantNothingWaits looks for what a login may leave behind.
func wantNothingWaits(t *testing.T, loops []*node) {
	t.Helper()
	for _, n := range loops {
		if len(n.r.asking) != 0 || len(n.closings) != 0 {
			t.Errorf("%d clients wait, %d words were not heard", len(n.r.asking), len(n.closings))
		}
	}
	if g := loops[0].r.node.Conns; g.Knocking() != 0 || g.Pending() != 0 || g.Lingering() != 0 {
		t.Errorf("%d knock, %d are pending, %d linger", g.Knocking(), g.Pending(), g.Lingering())
	}
}
