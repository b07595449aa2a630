package reactor

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// The set against a naive twin, with members that lie apart, together, and at the ends of spans.
func TestASlotSetIsASet(t *testing.T) {
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 1))
		var set slotSet
		twin := make(map[Slot]bool)
		spread := []int{300, 5_000, 1 << 20, maxSlots}[seed%4]
		grow := 3 // of four
		for i := range 20_000 {
			if i == 10_000 {
				grow = 1
			}
			slot := Slot(rng.IntN(spread))
			if rng.IntN(4) < grow {
				if added := set.add(slot); added == twin[slot] {
					t.Fatalf("seed %d: add(%d) = %v, member before: %v", seed, slot, added, twin[slot])
				}
				twin[slot] = true
			} else {
				if dropped := set.drop(slot); dropped != twin[slot] {
					t.Fatalf("seed %d: drop(%d) = %v, member before: %v", seed, slot, dropped, twin[slot])
				}
				delete(twin, slot)
			}
			if set.has(slot) != twin[slot] || set.size != len(twin) {
				t.Fatalf("seed %d: has(%d) = %v of %d members, want %v of %d", seed, slot, set.has(slot), set.size, twin[slot], len(twin))
			}
			if i%1_000 != 0 {
				continue
			}
			var want, got []Slot
			for m := range twin {
				want = append(want, m)
			}
			slices.Sort(want)
			for m, ok := set.next(0); ok; m, ok = set.next(m + 1) {
				got = append(got, m)
			}
			if !slices.Equal(got, want) {
				t.Fatalf("seed %d: a walk finds %d members, want %d in their order", seed, len(got), len(want))
			}
		}
		for m := range twin {
			set.drop(m)
		}
		if set.size != 0 || len(set.parts) != 0 {
			t.Fatalf("seed %d: %d members in %d parts are left of none", seed, set.size, len(set.parts))
		}
	}
}

// What a membership costs in its group: 2 bytes and its share of a part, or a bit a slot.
func TestAMembershipTakesFewBytesOfItsGroup(t *testing.T) {
	for _, tt := range []struct {
		members, every int
		most           float64 // bytes a member
	}{{100_000, 1, 0.2}, {10_000, 10, 2}, {10_000, 50, 4}, {1, 1, 60}} {
		var set slotSet
		for i := range tt.members {
			set.add(Slot(i * tt.every))
		}
		each := float64(set.bytes()) / float64(tt.members)
		t.Logf("%d members, one of %d slots: %.2f bytes each", tt.members, tt.every, each)
		if each > tt.most {
			t.Errorf("%d members, one of %d slots: %.2f bytes each, want %.2f at most", tt.members, tt.every, each, tt.most)
		}
	}
}
