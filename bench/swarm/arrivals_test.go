package swarm

import (
	"math"
	"slices"
	"testing"
	"time"
)

// dueTimes are those of the clients of a ramp, in order.
func dueTimes(a Arrivals) (at []time.Duration) {
	a.Each(func(_ int, due time.Duration) { at = append(at, due) })
	return at
}

func TestArrivalsAreOpenLoopAndOfTheSeed(t *testing.T) {
	arrivals := func(seed uint64) []time.Duration {
		return dueTimes((&Config{Conns: 1000, Rate: 100, Seed: seed}).Arrivals())
	}
	a := arrivals(7)
	if !slices.Equal(a, arrivals(7)) {
		t.Error("the same seed gives other arrivals")
	}
	if slices.Equal(a, arrivals(8)) {
		t.Error("another seed gives the same arrivals")
	}
	for i, at := range a {
		if from := time.Duration(i) * 10 * time.Millisecond; at < from || at >= from+10*time.Millisecond {
			t.Fatalf("arrival %d at %v, want within [%v, %v)", i, at, from, from+10*time.Millisecond)
		}
	}
}

func TestPick(t *testing.T) {
	ids := make([]int, 100)
	for i := range ids {
		ids[i] = i * 2
	}
	got := pick(ids, 30, 1)
	if len(got) != 30 || !slices.Equal(got, pick(ids, 30, 1)) || slices.Equal(got, pick(ids, 30, 2)) {
		t.Errorf("pick = %d ids, or not of the seed", len(got))
	}
	slices.Sort(got)
	if len(slices.Compact(got)) != 30 {
		t.Error("an id was picked twice")
	}
	if got := pick(ids, 1000, 1); len(got) != 100 {
		t.Errorf("pick of more than there are = %d", len(got))
	}
}

func TestALaterRampHasArrivalsOfItsOwn(t *testing.T) {
	due := func(a Arrivals) (numbers []int, at []time.Duration) {
		a.Each(func(number int, d time.Duration) { numbers, at = append(numbers, number), append(at, d) })
		return numbers, at
	}
	first, early := due(Arrivals{To: 50, Rate: 10, Seed: 3})
	then, late := due(Arrivals{From: 50, To: 100, Rate: 10, Seed: 3})
	if first[0] != 0 || first[49] != 49 || then[0] != 50 || then[49] != 99 {
		t.Errorf("numbers %d to %d and %d to %d", first[0], first[49], then[0], then[49])
	}
	if slices.Equal(early, late) || late[0] >= 100*time.Millisecond || !slices.IsSorted(late) {
		t.Errorf("the second ramp begins at %v, the first at %v; want draws of its own from its own begin", late[0], early[0])
	}
	if a := (Arrivals{To: 50, Rate: 10, Seed: 3}); a.Length() != early[49] {
		t.Errorf("it is %v long, the last one is due at %v", a.Length(), early[49])
	}
}

func TestAStepRampClimbsInPlateausOfEqualLength(t *testing.T) {
	c := Config{Conns: 1500, Rate: 500, Profile: "step", Steps: 5, Seed: 3}
	at := dueTimes(c.Arrivals())
	// 100, 200, ... 500 a second, one second each.
	counts := make([]int, 6)
	for i, a := range at {
		if i > 0 && a < at[i-1] {
			t.Fatalf("arrival %d at %v, the one before at %v", i, a, at[i-1])
		}
		counts[int(a.Seconds())]++
	}
	if want := []int{100, 200, 300, 400, 500, 0}; !slices.Equal(counts, want) {
		t.Errorf("arrivals by second: %v, want %v", counts, want)
	}
	linear := Config{Conns: 1500, Rate: 500, Seed: 3}
	c.Steps = 1
	for i, a := range dueTimes(c.Arrivals()) {
		if d := a - dueTimes(linear.Arrivals())[i]; d.Abs() > time.Microsecond {
			t.Fatalf("one plateau is the linear profile; arrival %d differs by %v", i, d)
		}
		if i == 50 {
			break
		}
	}
}

func TestAPoissonRampHasExponentialGaps(t *testing.T) {
	c := Config{Conns: 20_000, Rate: 1000, Profile: "poisson", Seed: 3}
	at := dueTimes(c.Arrivals())
	if !slices.Equal(at, dueTimes(c.Arrivals())) || !slices.IsSorted(at) {
		t.Fatal("arrivals are not of the seed, or not in order")
	}
	var gaps []float64
	for i := 1; i < len(at); i++ {
		gaps = append(gaps, (at[i]-at[i-1]).Seconds()*c.Rate)
	}
	slices.Sort(gaps)
	// Quantiles of the exponential distribution of mean 1: -ln(1-q).
	for _, q := range []float64{0.1, 0.5, 0.9} {
		if got, want := gaps[int(q*float64(len(gaps)))], -math.Log(1-q); math.Abs(got-want) > 0.1*want {
			t.Errorf("quantile %v of the gaps is %.3f of the mean, want %.3f", q, got, want)
		}
	}
}
