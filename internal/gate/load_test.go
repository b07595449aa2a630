package gate

import (
	"math"
	"testing"
	"time"
)

// However a ceiling changes, and to whatever above zero: what follows from it is a number.
func TestAnyCeilingAboveZeroWillDo(t *testing.T) {
	for _, overloaded := range []bool{false, true} {
		var l Load
		l.begin(2000, 30*time.Second, lookEvery)
		var w Window
		now := time.Duration(0)
		for _, ceiling := range []float64{1e7, math.SmallestNonzeroFloat64, 2000, 1e-9, math.MaxFloat64, 1, math.SmallestNonzeroFloat64, math.MaxFloat64, 2000} {
			l.SetCeiling(ceiling)
			for range 8 {
				now += lookEvery
				sample := Sample{}
				if overloaded {
					sample.Waited = 2 * time.Second
				}
				l.Observe(now, sample, nil, nil)
				for name, rate := range map[string]float64{"pace": l.Pace(), "slots": l.SlotRate(), "steady": l.Steady()} {
					if !(rate > 0 && rate <= ceiling) {
						t.Fatalf("ceiling %v: %s %v", ceiling, name, rate)
					}
				}
				w.SetRate(l.Steady())
				for _, conns := range []int64{0, 1, 1e6} {
					if d := w.For(conns, time.Minute); d < 0 || d > time.Minute {
						t.Fatalf("ceiling %v: a window of %v for %d", ceiling, d, conns)
					}
				}
				q := NewQueue(l.SlotRate())
				if wait, _ := q.Ask(now, MaxWait); wait < 0 {
					t.Fatalf("ceiling %v: a wait of %v", ceiling, wait)
				}
			}
		}
		if steady := l.Steady(); !overloaded && l.Pace() != 2000 || steady < 1 {
			t.Errorf("at the end: pace %v, steady %v", l.Pace(), steady)
		}
	}
}
