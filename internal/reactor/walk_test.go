package reactor

import "testing"

// A pass comes to every slot once, in however many turns, makes a step in each, and goes on with
// the slot that was not taken.
func TestAPassComesToEverySlotOnce(t *testing.T) {
	n := newNode(t, rigConfig{AdmitRate: 1e6})
	for range 3 * walkStep {
		n.join()
	}
	slots := len(n.r.sessions) * sessionChunk
	var p pass
	seen, turns := make(map[Slot]int), 0
	refused := false
	for how := halfway; how != ended; turns++ {
		how = n.r.walk(&p, func() bool { return true }, func(slot Slot) bool {
			if slot == 100 && !refused {
				refused = true
				return false
			}
			seen[slot]++
			return true
		})
		if (how == paused) != (refused && seen[100] == 0) {
			t.Fatalf("turn %d ends as %d at slot %d", turns, how, p.next)
		}
	}
	if len(seen) != slots || turns < slots/walkStep {
		t.Errorf("%d of %d slots in %d turns", len(seen), slots, turns)
	}
	for slot, times := range seen {
		if times != 1 {
			t.Errorf("slot %d: %d times", slot, times)
		}
	}
}
