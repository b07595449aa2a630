package reactor

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// The lists against a naive twin.
func TestMembershipsAreWhatWasAddedAndNotDropped(t *testing.T) {
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 2))
		var m memberships
		twin := make(map[Slot][]uint32)
		slots, most := 40, []int{3, 10, 200}[seed%3]
		for i := range 30_000 {
			slot, group := Slot(rng.IntN(slots)*700), uint32(rng.IntN(most))
			switch at := slices.Index(twin[slot], group); {
			case rng.IntN(200) == 0:
				m.clear(slot)
				delete(twin, slot)
			case at < 0 && rng.IntN(2) == 0:
				m.add(slot, group)
				twin[slot] = append(twin[slot], group)
			case at >= 0:
				m.drop(slot, group)
				twin[slot] = slices.Delete(twin[slot], at, at+1)
			}
			got, want := m.of(slot, nil), slices.Clone(twin[slot])
			slices.Sort(got)
			slices.Sort(want)
			if !slices.Equal(got, want) || m.count(slot) != len(want) {
				t.Fatalf("seed %d, step %d: slot %d is in %v, %d of them, want %v", seed, i, slot, got, m.count(slot), want)
			}
		}
		if words := len(m.chunks) * memberChunk; words > 8*slots*most+memberChunk {
			t.Errorf("seed %d: %d words for at most %d memberships: blocks are not used again", seed, words, slots*most)
		}
	}
}

func TestASessionMayBeInManyGroups(t *testing.T) {
	var m memberships
	for group := range uint32(MaxGroups) {
		m.add(5, group)
	}
	if got := m.of(5, nil); len(got) != MaxGroups || got[MaxGroups-1] != MaxGroups-1 {
		t.Errorf("%d groups, want %d", len(got), MaxGroups)
	}
}

// With the 2 bytes or less in the group a membership takes about 8.
func TestASessionInTwoGroupsTakesTwelveBytesForThem(t *testing.T) {
	var m memberships
	const sessions = 100 * sessionChunk
	for slot := range Slot(sessions) {
		m.add(slot, 1)
		m.add(slot, 2)
	}
	bytes := 4*len(m.refs)*sessionChunk + 4*len(m.chunks)*memberChunk
	if each := float64(bytes) / sessions; each > 12.5 {
		t.Errorf("%.1f bytes a session in two groups, want 12", each)
	}
}
