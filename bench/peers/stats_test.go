package main

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

func TestTheIntervalOfNineLeavesOutOneOnEachSide(t *testing.T) {
	got := intervalOf([]float64{9, 1, 8, 2, 7, 3, 6, 4, 5})
	if want := (interval{median: 5, low: 2, high: 8, n: 9, known: true}); got != want {
		t.Errorf("intervalOf(1..9) = %+v, want %+v", got, want)
	}
	if got := intervalOf([]float64{1, 2, 3, 4, 5}); got.known {
		t.Errorf("five values have no 95 %% interval, got %+v", got)
	}
	if got := intervalOf([]float64{1, 2, 3, 4, 5, 6}); !got.known || got.low != 1 || got.high != 6 {
		t.Errorf("intervalOf(1..6) = %+v, want all of them", got)
	}
}

func TestTheIntervalCoversTheMedian(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{6, 9, 12, 25} {
		hits := 0
		const trials = 4000
		for range trials {
			values := make([]float64, n)
			for i := range values {
				values[i] = rng.ExpFloat64() // skewed; its median is ln 2
			}
			if i := intervalOf(values); i.low <= math.Ln2 && math.Ln2 <= i.high {
				hits++
			}
		}
		if share := float64(hits) / trials; share < 0.945 {
			t.Errorf("n = %d: %.3f of the intervals hold the median, want 0.95", n, share)
		}
	}
}

func TestRowsWithinAWindowAreWhole(t *testing.T) {
	all, err := readRows([]byte("t_s,pongs_per_s,rtt_p50_ms\n1.0,10,3\n2.0,20,1\n3.0,40,2\n4.5,60,9\n"))
	if err != nil {
		t.Fatal(err)
	}
	some := all.within(500*time.Millisecond, 4500*time.Millisecond)
	if len(some) != 3 || some.mean("pongs_per_s") != 120/3.5 || some.median("rtt_p50_ms") != 2 {
		t.Errorf("within: %v, mean %v, median %v", some, some.mean("pongs_per_s"), some.median("rtt_p50_ms"))
	}
	if none := all.within(9*time.Second, 10*time.Second); len(none) != 0 || none.mean("pongs_per_s") != 0 {
		t.Errorf("beyond the end: %v", none)
	}
}
