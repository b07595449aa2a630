package messaging_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/messaging"
	"github.com/stormwheel/stormwheel/messaging/envelope"
)

// Members that go from one node to another within a second change nothing in all, and much for either node.
func TestMembersWhoChangeNodesAreCountedWhereTheyAre(t *testing.T) {
	inTowns(t, 3, messaging.Config{}, func(w *town) {
		o := w.notHomes("tea")
		a, b := o[0], o[1]
		var pa []*peer
		for range 5 {
			p := a.join("ua")
			w.joins(p, "tea", envelope.Position{})
			pa = append(pa, p)
		}
		w.joins(b.join("ub0"), "tea", envelope.Position{})
		w.advance(3 * time.Second)
		for i := range 3 {
			w.bye(pa[i])
			w.joins(b.join("ub"), "tea", envelope.Position{})
		}
		w.advance(10 * time.Second)
		p := a.join("last")
		if e := w.joins(p, "tea", envelope.Position{}); e.Count != 7 {
			t.Errorf("told %d, want 7", e.Count)
		}
	})
}

// A node that one alone saw for a while was the room's home meanwhile. The home before, which is it again, has forgotten how
// many the others have, and is told by those who never saw the other.
func TestAHomeThatWasNoneForAMomentHearsHowManyThereAre(t *testing.T) {
	inTown(t, 3, messaging.Config{}, func(w *town) {
		room := ""
		for n := 1; room == ""; n++ {
			r := fmt.Sprint("room", n)
			if homeAmong([]string{"a", "b"}, r) == "a" && homeAmong([]string{"a", "b", "c"}, r) == "c" {
				room = r
			}
		}
		for _, x := range []string{"a", "b"} {
			w.f.loses(x, "c")
			w.f.loses("c", x)
		}
		w.advance(3 * time.Second)
		for i := range 2 {
			w.joins(w.nodes[1].join(fmt.Sprint("bob", i)), room, envelope.Position{})
		}
		w.advance(3 * time.Second)
		q := w.nodes[0].join("al")
		if e := w.joins(q, room, envelope.Position{}); e.Count != 3 {
			t.Errorf("before: told %d, want 3", e.Count)
		}
		w.f.heal("a", "c") // c comes, and only a sees it; then it goes.
		w.advance(700 * time.Millisecond)
		w.f.loses("a", "c")
		w.f.loses("c", "a")
		w.advance(3 * time.Second)
		w.toRoom(q, room, "x")
		w.advance(60 * time.Second)
		q2 := w.nodes[0].join("al2")
		if e := w.joins(q2, room, envelope.Position{}); e.Count != 4 {
			t.Errorf("after: told %d, want 4", e.Count)
		}
	})
}
