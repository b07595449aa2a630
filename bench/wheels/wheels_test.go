package main

import (
	"encoding/xml"
	"io"
	"math"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A rival that does not do the work is no rival: all that can be told the time
// must expire the same connections' number in every tick.
func TestEverySubjectExpiresTheSameInEveryTick(t *testing.T) {
	const n, ticks = 500, 2000
	var want []int64
	for _, k := range kinds {
		if k.realtime || k.name == "nothing" || k.name == "sweep4s" {
			continue
		}
		s := k.make(fleetSlots)
		random := rand.New(rand.NewPCG(1, 2))
		alive := map[uint32]int{} // the tick in which it is over
		for id := range uint32(n) {
			ttl := 1 + random.IntN(600)
			s.arm([]uint32{id}, time.Duration(ttl)*tick)
			alive[id] = ttl
		}
		var got []int64
		for i := range ticks {
			for more := true; more; {
				_, more = s.advance(time.Duration(i+1) * tick)
			}
			got = append(got, s.expired())
			// The others' ttl is the heartbeat's argument, ours was Add's.
			for range 3 {
				id := uint32(random.IntN(n))
				if ttl := alive[id]; i < ttl-1 {
					s.refresh([]uint32{id}, time.Duration(ttl)*tick)
					alive[id] = 0 // once: the driver doesn't follow it further
				}
			}
		}
		s.close()
		if got[ticks-1] != n {
			t.Errorf("%s: %d expired, want all %d", k.name, got[ticks-1], n)
		}
		if want == nil {
			want = got
			continue
		}
		for i := range got {
			if got[i] != want[i] {
				t.Errorf("%s: %d expired by tick %d, the first subject %d", k.name, got[i], i+1, want[i])
				break
			}
		}
	}
}

// Each workload checks itself: a subject that expires another number panics.
func TestTheWorkloadsRunOnASmallFleet(t *testing.T) {
	e := effort{ops: 10_000, fleetTicks: 20}
	for _, k := range kinds {
		if k.name == "nothing" || testing.Short() && k.realtime {
			continue
		}
		r := measure(k, 10_000, e)
		for _, key := range []string{"build_ns", "arm_ns", "refresh_ns", "cancel_ns", "expire1_ns", "expire100_ns", "bytes"} {
			if v, ok := r[key]; !ok || v < 0 { // 0: no more than the driver alone
				t.Errorf("%s: %s is %v", k.name, key, v)
			}
		}
	}
}

func TestVerdictsSayByHowMuch(t *testing.T) {
	a := newRuns("")
	a.sizes = []int{1_000_000}
	for _, ns := range []float64{20, 30, 40} {
		a.add("wheel", 1_000_000, results{"visit_ns": ns, "refresh_ns": 10})
		a.add("timers", 1_000_000, results{"refresh_ns": 50 * 10})
	}
	got := verdicts(a)
	for _, want := range []string{
		"| live visit, 1 M | at most 15 ns | 30 ns [20-40] | not reached: 2.0 times too much.",
		"| a heartbeat against `Timer.Reset` | at least 20x | 50x | reached |",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("got %s\nwant in it %q", got, want)
		}
	}
}

func TestChartsAreWellFormedAndHoldEveryPoint(t *testing.T) {
	a := newRuns("")
	a.sizes = []int{10_000, 100_000}
	for _, n := range a.sizes {
		for _, k := range kinds {
			a.add(k.name, n, results{"steady": float64(n) / 1e8})
		}
	}
	c := chart{title: "T", unit: "%"}
	for _, k := range kinds {
		c.lines = append(c.lines, lineOf(a, k, "steady", 100))
	}
	svg := c.svg()
	if got, want := strings.Count(svg, "<circle"), len(kinds)*2; got != want {
		t.Errorf("points: got %d, want %d", got, want)
	}
	d := xml.NewDecoder(strings.NewReader(svg))
	for {
		if _, err := d.Token(); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

// RussellLuo's line ends early: its name may cover neither a line nor a name.
func TestNoLabelTouchesALineOrAnother(t *testing.T) {
	for _, ending := range []string{"russell", "wheel", "sweep4s"} {
		for seed := range uint64(20) {
			random := rand.New(rand.NewPCG(seed, 1))
			a := newRuns("")
			a.sizes = []int{10_000, 100_000, 1_000_000, 10_000_000}
			for _, k := range kinds {
				cost := random.Float64() / 1e4
				for _, n := range a.sizes {
					if cost *= 1 + 20*random.Float64(); k.name != ending || n < 10_000_000 {
						a.add(k.name, n, results{"steady": cost})
					}
				}
			}
			d := drawing{chart: charts(a)["wheel-fleet.svg"]}
			d.minX, d.maxX, d.minY, d.maxY = d.bounds()
			labels := d.labels()
			if got, want := len(labels), len(kindNames()); got != want {
				t.Fatalf("labels: got %d, want %d", got, want)
			}
			for i, l := range labels {
				if l.x < chartWidth-right && !d.free(l, nil) {
					t.Errorf("%s, seed %d: the label of %q covers a line", ending, seed, l.line.label)
				}
				for _, o := range labels[:i] {
					if l.x < o.x+o.width() && o.x < l.x+l.width() && math.Abs(l.y-o.y) < labelHeight-0.01 {
						t.Errorf("%s, seed %d: the labels %q and %q touch", ending, seed, l.line.label, o.line.label)
					}
				}
			}
		}
	}
}

func TestASavedMeasurementIsDrawnTheSame(t *testing.T) {
	a := newRuns("go run . -x")
	a.sizes = []int{10_000, 1_000_000}
	for _, n := range a.sizes {
		for _, name := range append([]string{memoryKind}, kindNames()...) {
			for i := range 3 {
				a.add(name, n, results{"steady": float64(n) / 1e8, "visit_ns": 10.5 + float64(i), "refresh_ns": 3, "apart_ns": 1, "chained_ns": 2})
			}
		}
	}
	where := a.where()
	a.where = func() string { return where }
	file := filepath.Join(t.TempDir(), "new", "wheel.json")
	if err := save(file, a); err != nil {
		t.Fatal(err)
	}
	b, err := load(file)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := section(b), section(a); got != want {
		t.Errorf("section: got %s\nwant %s", got, want)
	}
	for name, c := range charts(a) {
		if got := charts(b)[name].svg(); got != c.svg() {
			t.Errorf("%s: got %s\nwant %s", name, got, c.svg())
		}
	}
}

func TestNumbersKeepTwoDigits(t *testing.T) {
	for x, want := range map[float64]string{0: "0", 0.00037: "0.00037", 0.031: "0.031", 0.5: "0.50", 9.94: "9.9", 9.96: "10", 1234567: "1,234,567"} {
		if got := number(x); got != want {
			t.Errorf("number(%v): got %q, want %q", x, got, want)
		}
	}
}
