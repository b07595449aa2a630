package tally

import (
	"math"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/bench/result"
)

// soakRows is a soak of 80 s whose server has figures by time.
func soakRows(rss, fds func(at int) int, cpu func(at int) float64) []result.Second {
	var all []result.Second
	for at := 1; at <= 90; at++ {
		s := result.ServerSecond{RSSBytes: new(int64(rss(at))), FDs: new(fds(at)), CPUS: new(cpu(at))}
		all = append(all, result.Second{T: float64(at), RTTp99: new(2.0), Servers: []result.ServerSecond{s, s}})
	}
	return all
}

func TestASoakComparesItsLastQuarterWithItsSecond(t *testing.T) {
	flat := func(n int) func(int) int { return func(int) int { return n } }
	idle := func(at int) float64 { return float64(at) * 0.1 }
	const from, to = 5 * time.Second, 85 * time.Second
	near := func(v *float64, want float64) bool { return v != nil && math.Abs(*v-want) < 1e-6 }

	s := Growth(soakRows(flat(1000), flat(50), idle), from, to)
	if !near(s.RSSGrowth, 0) || !near(s.FDsGrowth, 0) || !near(s.CPUGrowth, 0) || !near(s.RTTp99Growth, 0) {
		t.Errorf("nothing changes: %+v", s)
	}
	// Quarters are of 20 s: the second is 26 to 45, the last 66 to 85. Medians are of 36 and 76.
	leak := func(at int) int { return 1000 + at }
	if s = Growth(soakRows(leak, flat(50), idle), from, to); !near(s.RSSGrowth, 1076.0/1036-1) {
		t.Errorf("a byte a second: grown by %v, want %v", *s.RSSGrowth, 1076.0/1036-1)
	}
	// A collector's saw and what happens while it warms up are no growth.
	saw := func(at int) int {
		if at < 20 {
			return 100
		}
		return 1000 + at%10*20
	}
	if s = Growth(soakRows(saw, flat(50), idle), from, to); !near(s.RSSGrowth, 0) {
		t.Errorf("a saw: grown by %v", *s.RSSGrowth)
	}
	if s = Growth(soakRows(flat(1000), func(at int) int { return 50 + at/60*50 }, func(at int) float64 { return float64(at*at) / 100 }), from, to); !near(s.FDsGrowth, 1) || *s.CPUGrowth < 1 {
		t.Errorf("twice the descriptors, ever more CPU: %v and %v", *s.FDsGrowth, *s.CPUGrowth)
	}
	rows := soakRows(flat(1000), flat(50), idle)
	for i := range rows {
		rows[i].Servers[1].RSSBytes = nil
	}
	if s = Growth(rows, from, to); s.RSSGrowth != nil || s.FDsGrowth == nil {
		t.Errorf("one server's memory is unknown: %+v", s)
	}
	if s = Growth(rows[:6], from, from+3*time.Second); s.FDsGrowth != nil {
		t.Errorf("three seconds: %+v, want too few readings", s)
	}
}

func TestMergedSoaksTellOfWhatGrewMost(t *testing.T) {
	of := func(rss, fds *float64) *result.Result {
		return &result.Result{Soak: &result.Soak{RSSGrowth: rss, FDsGrowth: fds}}
	}
	s := mergeSoaks([]*result.Result{of(new(0.1), new(0.0)), of(new(0.3), nil)})
	if *s.RSSGrowth != 0.3 || s.FDsGrowth != nil {
		t.Errorf("merged: %+v", s)
	}
}
