package reactor

import (
	"testing"
	"time"
)

// A flood of posts may use up every turn: deadlines, farewells and shedding get on all
// the same.
func TestATurnThatIsOverAtOnceStillGetsOn(t *testing.T) {
	n := newNode(t, rigConfig{})
	var peers []*peer
	for range 200 {
		_, p := n.join()
		peers = append(peers, p)
	}
	always := func() bool { return true }
	n.r.node.Stopping.Store(true)
	for range 20 {
		n.turn(always)
	}
	for i, p := range peers {
		if len(p.in) == 0 {
			t.Fatalf("client %d of 200 was not told in 20 turns", i)
		}
	}
}

// A turn among very many evictions ends with the close that its time ran out in.
func TestATurnEndsWithinOneCloseOfItsTime(t *testing.T) {
	n := newNode(t, rigConfig{})
	for range 500 {
		n.join()
	}
	n.run(75 * time.Second)
	turns := 0
	for n.now += 3 * n.r.cfg.Tick; n.net.aborts < 500 && turns < 1000; turns++ {
		n.r.observe(n.now)
		before := n.net.aborts
		n.turn(func() bool { return n.net.aborts-before >= 10 }) // the time of ten closes
		if did := n.net.aborts - before; did > 11 {
			t.Fatalf("%d closes in a turn that has time for 10", did)
		}
	}
	if n.net.aborts != 500 || turns < 45 {
		t.Fatalf("%d of 500 evicted in %d turns", n.net.aborts, turns)
	}
}
