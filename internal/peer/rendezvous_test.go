package peer

import (
	"fmt"
	"slices"
	"testing"
)

// membersOf is how the first of some nodes sees them.
func membersOf(names ...string) *Members {
	m := New(Config{Node: names[0]}, Now{})
	for _, name := range names[1:] {
		m.meet(Now{}, name).live = true
	}
	m.countMembers(Now{})
	return m.Members()
}

func TestHomeIsTheSameWhereverTheSameNodesAreSeen(t *testing.T) {
	one, other := membersOf("a", "b", "c"), membersOf("c", "a", "b")
	for i := range 1000 {
		key := fmt.Sprint(i)
		if one.Home(key) != other.Home(key) {
			t.Fatal(key)
		}
	}
	// Pinned: nodes of different versions must agree.
	for key, home := range map[string]string{"": "b", "lobby": "c", "alice": "c", "bob": "a", "42": "c"} {
		if got := one.Home(key); got != home {
			t.Errorf("%q is at home at %s, and was at %s", key, got, home)
		}
	}
}

func TestHomesAreSpreadAndStay(t *testing.T) {
	var names []string
	for i := range 8 {
		names = append(names, fmt.Sprint("node-", i))
	}
	all, fewer := membersOf(names...), membersOf(names[:7]...)
	homes := make(map[string]int)
	for i := range 16_000 {
		key := fmt.Sprint("room-", i)
		home := all.Home(key)
		homes[home]++
		if home != "node-7" && fewer.Home(key) != home {
			t.Fatalf("%s has gone from %s to %s, since another node left", key, home, fewer.Home(key))
		}
	}
	for name, n := range homes {
		if n < 1800 || n > 2200 {
			t.Errorf("%s is home of %d, want about 2,000", name, n)
		}
	}
	if !all.Has("node-3") || all.Has("node-9") || !slices.IsSorted(all.Names()) {
		t.Errorf("%v", all.Names())
	}
	if n := testing.AllocsPerRun(100, func() { all.Home("lobby") }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
