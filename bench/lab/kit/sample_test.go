package kit

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/bench/result"
)

func TestTheIntervalOfNineLeavesOutOneOnEachSide(t *testing.T) {
	got := SampleOf([]float64{9, 1, 8, 2, 7, 3, 6, 4, 5})
	if got.Median != 5 || got.Low != 1 || got.High != 9 || got.From != 2 || got.To != 8 || got.N != 9 || !got.Known {
		t.Errorf("SampleOf(1..9) = %+v, want 2 to 8 around 5", got)
	}
	if got := SampleOf([]float64{1, 2, 3, 4, 5}); got.Known || got.Low != 1 || got.High != 5 {
		t.Errorf("five values have no 95 %% interval, got %+v", got)
	}
	if got := SampleOf([]float64{1, 2, 3, 4, 5, 6}); !got.Known || got.From != 1 || got.To != 6 || got.Median != 3.5 {
		t.Errorf("SampleOf(1..6) = %+v, want all of them", got)
	}
	if got := SampleOf([]float64{1, math.Inf(1), math.Inf(1)}); got.Median != math.Inf(1) || got.String() != "never [1 - never]" {
		t.Errorf("what never came has the median %v: %v", got.Median, got)
	}
	if got := SampleOf(nil); got.N != 0 || got.Known {
		t.Errorf("SampleOf() = %+v", got)
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
			if s := SampleOf(values); s.From <= math.Ln2 && math.Ln2 <= s.To {
				hits++
			}
		}
		if share := float64(hits) / trials; share < 0.945 {
			t.Errorf("n = %d: %.3f of the intervals hold the median, want 0.95", n, share)
		}
	}
}

func TestSecondsWithinAWindowAreWhole(t *testing.T) {
	began := time.Now()
	at := func(s float64) time.Time { return began.Add(time.Duration(s * float64(time.Second))) }
	res := &result.Result{Started: began}
	for _, s := range []struct {
		t, p50 float64
		pongs  int
	}{{1, 3, 10}, {2, 1, 20}, {3, 2, 40}, {4.5, 9, 60}} {
		res.Detail.Seconds = append(res.Detail.Seconds, result.Second{T: s.t, Pongs: s.pongs, RTTp50: &s.p50, RTTp99: &s.p50})
	}
	some := WindowOf(res, at(0.5), at(4.5))
	if p50, _ := some.RTT(); len(some) != 3 || some.Pongs() != 120/3.5 || p50.Median != 2 {
		t.Errorf("within: %v, mean %v, median %v", some, some.Pongs(), p50.Median)
	}
	if none := WindowOf(res, at(9), at(10)); len(none) != 0 || none.Pongs() != 0 {
		t.Errorf("beyond the end: %v", none)
	}
	if res.Detail.Seconds[3].T != 4.5 {
		t.Error("the result has changed")
	}
}

// A ratio to what came to nothing is no figure, and reaches nothing.
func TestWhatIsMeasuredByNothingIsNotMeasured(t *testing.T) {
	for _, by := range []float64{0, math.NaN()} {
		cells := Target{What: "a", AtMost: new(0.1), Unit: "x", Of: SampleOf([]float64{0, 1}).Times(1 / by)}.Cells()
		if cells[4] != "not measured" || strings.Contains(strings.Join(cells, " "), "NaN") {
			t.Errorf("by %v: %q", by, cells)
		}
	}
}
