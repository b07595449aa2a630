package swarm

import (
	"net/netip"
	"testing"

	"github.com/stormwheel/stormwheel/internal/link"
)

func TestRolesAreDealtExactlyAndEvenly(t *testing.T) {
	for _, tt := range []struct{ n, nodes, k int }{{1000, 3, 20}, {7, 2, 3}, {10, 1, 10}, {10, 4, 0}, {100, 7, 99}, {5, 5, 2}} {
		perNode, all := map[int]int{}, 0
		for i := range tt.n {
			if Takes(i, tt.n, tt.nodes, tt.k, false) {
				perNode[i%tt.nodes]++
				all++
			}
		}
		if all != tt.k {
			t.Errorf("%+v: %d were dealt", tt, all)
		}
		for node := range tt.nodes {
			on := (tt.n - node + tt.nodes - 1) / tt.nodes
			if d := float64(perNode[node]) - float64(on*tt.k)/float64(tt.n); d > 1 || d < -1 {
				t.Errorf("%+v: %d on node %d", tt, perNode[node], node)
			}
		}
	}
	spared := 0
	for i := range 1000 {
		if Takes(i, 1000, 2, 20, true) {
			spared++
			if i%2 == 0 {
				t.Errorf("client %d of the first node was dealt", i)
			}
		}
	}
	if spared != 20 {
		t.Errorf("%d of 20 were dealt when the first node is spared", spared)
	}
}

func TestCohortsAreExactOnEveryNode(t *testing.T) {
	all := []Cohort{{link.Window, 5000}, {link.Fixed, 3000}, {link.Full, 2000}}
	c := Config{Conns: 1000, Endpoints: make([]netip.AddrPort, 2), Cohorts: all}
	whole, first := map[int]int{}, map[int]int{}
	for i := range c.Conns {
		whole[c.cohort(i)]++
		if i%2 == 0 {
			first[c.cohort(i)]++
		}
	}
	if whole[0] != 500 || whole[1] != 300 || whole[2] != 200 {
		t.Errorf("cohorts of %v, want 500, 300 and 200", whole)
	}
	for i, want := range []int{250, 150, 100} {
		if d := first[i] - want; d > 1 || d < -1 {
			t.Errorf("cohort %d has %d clients on the first node, want %d", i, first[i], want)
		}
	}
}
