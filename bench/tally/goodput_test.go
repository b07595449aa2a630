package tally

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/bench/benchtest"
	"github.com/stormwheel/stormwheel/bench/result"
)

// bins has n[i] in the bin that begins i tenths of a second after from.
func bins(from int, n ...uint32) []uint32 { return append(make([]uint32, from), n...) }

func TestTheLongestGapIsThatWhileManyWait(t *testing.T) {
	each := func(n uint32, times int) []uint32 { return slices.Repeat([]uint32{n}, times) }
	for _, tt := range []struct {
		name       string
		clients    int
		outage     time.Duration
		lost, back []uint32
		want       float64
	}{
		{"nobody waits", 0, 0, nil, bins(50), 0},
		{"all are back soon", 100, 0, bins(0, 100), bins(3, 50, 50), 0.2},
		{"a pause in the middle", 100, 0, bins(0, 100), slices.Concat(bins(1, 50), bins(30, 50)), 3},
		{"the last twentieth but one client is waited for", 100, 0, bins(0, 100), slices.Concat(bins(1, 95), bins(30, 5)), 3},
		{"the last few are not", 100, 0, bins(0, 100), slices.Concat(bins(1, 96), bins(30, 4)), 0},
		{"nobody could accept before", 100, 3 * time.Second, bins(0, 100), bins(35, 100), 0.5},
		{"within a bin nobody could", 100, 2910 * time.Millisecond, bins(0, 100), bins(35, 100), 0.5},
		{"nobody ever comes back", 100, 0, bins(0, 100), bins(60), 5.9},
		{"who comes in does not end the wait of the others", 100, 0, bins(0, 100), slices.Concat(bins(1, 1), bins(25), each(33, 3)), 2.5},
		{"a second wave", 100, 0, bins(0, 100), slices.Concat(bins(1, 100), bins(40, 0)), 0},
		{"a second wave that waits", 100, 0, slices.Concat(bins(0, 100), bins(9, 50)), slices.Concat(bins(1, 100), bins(28, 50)), 1.9},
	} {
		s := &result.Storm{Clients: tt.clients, OutageS: new(tt.outage.Seconds())}
		flow(s, tt.lost, tt.back)
		if s.LongestGapS == nil || *s.LongestGapS < tt.want-.001 || *s.LongestGapS > tt.want+.001 {
			t.Errorf("%s: %s s, want %v", tt.name, result.Number(s.LongestGapS), tt.want)
		}
	}
	s := &result.Storm{Clients: 100}
	if flow(s, bins(0, 100), bins(60)); s.LongestGapS != nil || s.GoodputPerS != nil {
		t.Errorf("no receiver ever could accept: %+v", s)
	}
}

func TestGoodputIsOfWholeSecondsInWhichManyWait(t *testing.T) {
	s := &result.Storm{Clients: 1000, OutageS: new(0.5)}
	back := slices.Concat(bins(5), slices.Repeat([]uint32{10}, 10), slices.Repeat([]uint32{30}, 10), slices.Repeat([]uint32{20}, 10), slices.Repeat([]uint32{80}, 5))
	flow(s, bins(0, 1000), back)
	if s.GoodputPerS == nil || *s.GoodputPerS != (result.Goodput{Best: 300, Median: 200}) || *s.LongestGapS != 0 {
		t.Errorf("goodput %+v, gap %s; want 300 at best, 200 in the middle, the half second at the end left out", s.GoodputPerS, result.Number(s.LongestGapS))
	}
	s = &result.Storm{Clients: 1000, OutageS: new(0.0)}
	if flow(s, bins(0, 1000), bins(1, 500, 500)); s.GoodputPerS != nil {
		t.Errorf("all is over after 0.3 s, and there is a rate of %+v", s.GoodputPerS)
	}
}

// A good run never fails for its tail: clients come back evenly, but for a few at the end.
func TestTheGapOfAGoodStormIsShort(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for range 100 {
		tally := NewStorm()
		tally.Clients = 500
		for i := range 500 {
			at := time.Duration(rng.Float64() * float64(2*time.Second))
			if i < 20 {
				at += time.Duration(rng.Float64() * float64(30*time.Second))
			}
			CountIn(&tally.LostPerBin, 0)
			CountIn(&tally.BackPerBin, at)
		}
		if s := tally.Report(StormFacts{Outage: new(time.Duration)}); *s.LongestGapS > 0.5 {
			t.Errorf("gap %v s", *s.LongestGapS)
		}
	}
}

func TestAMergeAddsGoodputAndTakesTheGapOfTheSum(t *testing.T) {
	at := time.Unix(1000, 0).UTC()
	a, b := benchtest.Part(1, at, time.Millisecond), benchtest.Part(2, at, time.Millisecond)
	for i, p := range []*result.Result{a, b} {
		p.Storm.Clients = 100
		p.Storm.OutageS, p.Storm.DrainS, p.Storm.IdealS = new(float64(i)), new(float64(3+i)), new(float64(i)+2)
		p.Storm.IdealFromS = p.Storm.OutageS
		p.Detail.LostPer100ms = bins(0, 100)
		p.Detail.BackPer100ms = slices.Concat(bins(15+5*i), slices.Repeat([]uint32{5}, 20))
	}
	m, err := Merge([]*result.Result{a, b}, []string{"storm.longest_gap_s<=1"}, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := m.Storm
	if *s.OutageS != 1 || *s.DrainS != 4 || *s.IdealS != 3 || *s.LongestGapS != 0.5 || *s.GoodputPerS != (result.Goodput{Best: 100, Median: 100}) {
		t.Errorf("outage %s, drain %s, ideal %s, gap %s, goodput %+v; want 1, 4, 3, 0.5 and 100 at once",
			result.Number(s.OutageS), result.Number(s.DrainS), result.Number(s.IdealS), result.Number(s.LongestGapS), s.GoodputPerS)
	}
}
