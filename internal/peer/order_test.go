package peer

import (
	"fmt"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

// A HELLO may be read when its client has long gone on to another node: it displaces nobody there, and its session
// ends as one that is superseded. Whatever the stamps, and whichever claim is heard first.
func TestHelloThatIsReadLateDisplacesNobody(t *testing.T) {
	for _, split := range []bool{false, true} {
		for _, skew := range []int64{0, -3_600_000, 3_600_000} {
			w := newWorld(t, 21)
			h := w.cluster(3, Config{Replace: true})
			h[2].skew = skew
			first := h[0].openAs("x", 7, 1, 0)
			w.run(20 * time.Millisecond)
			if split {
				w.part("b", "c", true)
				w.run(4 * time.Second)
			}
			moved := h[1].openAs("x", 7, 2, first.stamp)
			w.run(20 * time.Millisecond)
			late := h[2].openAs("x", 7, 1, 0)
			w.run(20 * time.Millisecond)
			w.heal()
			w.run(3 * time.Second)
			if moved.ended || !late.ended || late.code != codec.CodeSuperseded || !first.ended {
				t.Errorf("split %v, clock %d: the later attempt was ended: %v; the late HELLO's: %v, with %v", split, skew, moved.ended, late.ended, late.code)
			}
			w.run(2 * time.Second)
			w.check(map[string][]*login{"x": {first, moved, late}})
		}
	}
}

// A client that comes back with its return pass is later than what it had before, though the node to which it comes has a
// clock that is an hour behind, or that of the other was an hour ahead, and it has heard of nobody: it began
// during a split. Clients here tell no incarnation, so that only the stamps say which is the later.
func TestReturningClientStaysWhateverTheClocksSay(t *testing.T) {
	for seed := range uint64(50) {
		for _, skew := range []int64{3_600_000, -3_600_000} {
			w := newWorld(t, seed)
			w.delay = time.Duration(1+w.rng.IntN(5000)) * time.Microsecond
			h := w.cluster(3, Config{Replace: true})
			if h[0].skew = skew; skew < 0 {
				h[1].skew, h[2].skew = -skew, -skew // that behind is where the client comes to
				h[0].skew = 0
			}
			w.run(1100 * time.Millisecond)
			all := make(map[string][]*login)
			for i := range 5 {
				id := fmt.Sprint("c", i)
				all[id] = append(all[id], h[w.rng.IntN(2)].open(id, 0, 0))
			}
			w.run(50 * time.Millisecond)
			h[2].kill()
			for _, from := range []string{"a", "b"} {
				w.part(from, "c", true)
			}
			c := w.start(Config{Node: "c", Replace: true}) // with the machine's clock, and no memory
			w.run(4 * time.Second)
			for id, l := range all {
				all[id] = append(l, c.open(id, 0, l[0].stamp))
			}
			w.run(50 * time.Millisecond)
			w.heal()
			w.run(3 * time.Second)
			for id, l := range all {
				if !l[0].ended || l[1].ended {
					t.Errorf("seed %d, clock %d: %s, which came back, has lost to what it had before", seed, skew, id)
				}
			}
			w.run(2 * time.Second)
			w.check(all)
		}
	}
}

// Three nodes are cold-started in every order, each with the same client at once: when they have met, he has one session.
func TestColdStartInEveryOrder(t *testing.T) {
	for _, order := range []string{"abc", "acb", "bac", "bca", "cab", "cba"} {
		for _, pause := range []time.Duration{0, time.Millisecond, 1500 * time.Millisecond} {
			w := newWorld(t, 22)
			all := make(map[string][]*login)
			for i, name := range order {
				h := w.start(Config{Node: string(name), Replace: true})
				all["x"] = append(all["x"], h.open("x", uint64(i+1), 0))
				w.run(pause)
			}
			w.run(3 * time.Second)
			w.check(all)
		}
	}
}
