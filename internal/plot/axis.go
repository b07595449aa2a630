package plot

import (
	"math"
	"slices"
	"strings"
)

// Axis is one side of a picture. Make one with FromZero, Exactly, Percent, Logarithmic or
// Percentiles.
type Axis struct {
	Label    string  // what is counted, with its unit
	Min, Max float64 // the ends, as positions
	Ticks    []Tick  // in rising order
	Log      bool    // positions are the decimal logarithms of the values

	nines bool // it is one of Percentiles
}

// Tick is a labelled place; At is a position.
type Tick struct {
	At    float64
	Label string
}

// FromZero is an axis from 0 to the next tick beyond most; or from a tick below least, when
// that is negative. Both have the label's unit.
func FromZero(label string, least, most float64) Axis { return linear(label, least, most, 5) }

// Low is FromZero for a plot that is not high: with fewer ticks, of which millions are "2 M".
func Low(label string, least, most float64) Axis {
	a := linear(label, least, most, 3)
	for _, unit := range []struct {
		size float64
		name string
	}{{1e9, " G"}, {1e6, " M"}} {
		if a.step() < unit.size/10 || a.Max < unit.size {
			continue
		}
		for i, t := range a.Ticks {
			if t.At != 0 {
				a.Ticks[i].Label = Number(t.At/unit.size, a.step()/unit.size) + unit.name
			}
		}
		break
	}
	return a
}

// Exactly is FromZero, begun and ended where the data do, with more ticks: for time, of which
// every second counts.
func Exactly(label string, least, most float64) Axis {
	a := linear(label, least, most, 10)
	if most > 0 && Drawable(most) {
		a.Max = most
	}
	if least < 0 && Drawable(least) {
		a.Min = least
	}
	a.Ticks = slices.DeleteFunc(a.Ticks, func(t Tick) bool { return t.At > a.Max || t.At < a.Min })
	return a
}

// Percent is an axis from 0 to 100.
func Percent(label string) Axis { return FromZero(label, 0, 100) }

func linear(label string, least, most, pieces float64) Axis {
	if !Drawable(least) {
		least = 0
	}
	if !Drawable(most) {
		most = 0
	}
	step := NiceStep((max(most, 0) - min(least, 0)) / pieces)
	a := Axis{Label: label, Min: step * math.Floor(min(least, 0)/step), Max: step * math.Ceil(max(most, 0)/step)}
	if a.Max <= a.Min {
		a.Max = a.Min + step
	}
	for i := math.Round(a.Min / step); i <= math.Round(a.Max/step); i++ {
		a.Ticks = append(a.Ticks, Tick{i * step, Number(i*step, step)})
	}
	return a
}

// Logarithmic is an axis between round values, 1, 2 or 5 times a power of ten: from the last
// that is not above least to the first that is not below most, in the label's unit. What is
// below a millionth is drawn there. The label should say that the axis is logarithmic.
func Logarithmic(label string, least, most float64) Axis {
	const smallest, many = 1e-6, 9
	if !(least > smallest) { // or is no number
		least = smallest
	}
	if !(most > least) {
		most = least
	}
	values := between(min(least, largest), min(most, largest))
	last := len(values) - 1
	a := Axis{Label: label, Log: true, Min: math.Log10(values[0]), Max: math.Log10(values[last])}
	for i, v := range values {
		at := math.Log10(v)
		decade := math.Abs(at-math.Round(at)) < 1e-9
		if len(values) <= many || decade || i == 0 || i == last {
			a.Ticks = append(a.Ticks, Tick{at, Number(v, v)})
		}
	}
	return a
}

// between are the round values of a logarithmic axis, in rising order; two at least.
func between(least, most float64) []float64 {
	var values []float64
	for power := math.Floor(math.Log10(least)); ; power++ {
		for _, n := range []float64{1, 2, 5} {
			v := n * math.Pow(10, power)
			if v <= least*(1+1e-9) {
				values = values[:0]
			}
			values = append(values, v)
			if len(values) > 1 && v >= most*(1-1e-9) {
				return values
			}
		}
	}
}

// Percentiles is the axis of the distribution of that many values, over Nines: each step to
// the right has a tenth of them left.
func Percentiles(total float64) Axis {
	a := Axis{Label: "percentile", nines: true, Max: max(math.Ceil(Nines(total, total)*4)/4, 1)}
	a.Ticks = []Tick{{0, "0 %"}, {-math.Log10(0.5), "50 %"}}
	for n := 1.0; n <= a.Max; n++ {
		label := map[float64]string{1: "90 %", 2: "99 %"}[n]
		if label == "" {
			label = "99." + strings.Repeat("9", int(n)-2) + " %"
		}
		a.Ticks = append(a.Ticks, Tick{n, label})
	}
	return a
}

// Nines is where the value of that rank, from 0, of total stands on an axis of Percentiles:
// 1 for 90 %, 2 for 99 %. The last stands where one value is left.
func Nines(rank, total float64) float64 {
	return -math.Log10(max(total-rank, 1) / max(total, 1))
}

// Place is where v is between the ends, as a share of their distance: 0 to 1 if it is within.
func (a Axis) Place(v float64) float64 { return a.share(a.position(v)) }

// position is where v stands; what is below a logarithmic axis stands at its begin.
func (a Axis) position(v float64) float64 {
	if a.Log {
		return math.Log10(max(v, math.Pow(10, a.Min)))
	}
	return v
}

// words are the value at a position.
func (a Axis) words(at float64) string {
	switch {
	case a.nines:
		return Number(100*(1-math.Pow(10, -at)), math.Pow(10, -max(math.Ceil(at-1e-9)-2, 0))) + " %"
	case a.Log:
		return digits(math.Pow(10, at))
	default:
		return Number(at, min(a.step()/10, 1))
	}
}

// share is Place of a position.
func (a Axis) share(at float64) float64 {
	if a.Max <= a.Min { // an axis that nobody made
		return 0
	}
	return (at - a.Min) / (a.Max - a.Min)
}

// labelled are the ticks whose labels have room beside an axis of that many pixels: its ends,
// and those between them that touch no other. A label takes size pixels along the axis.
func (a Axis) labelled(length float64, size func(label string) float64) (shown []Tick) {
	ticks := slices.Clone(a.Ticks)
	if last := len(ticks) - 1; last > 1 {
		ticks = slices.Insert(ticks[:last], 1, a.Ticks[last])
	}
	for _, t := range ticks {
		touches := func(o Tick) bool {
			return math.Abs(a.share(t.At)-a.share(o.At))*length < (size(t.Label)+size(o.Label))/2
		}
		if !slices.ContainsFunc(shown, touches) {
			shown = append(shown, t)
		}
	}
	return shown
}

// step is from one tick to the next.
func (a Axis) step() float64 {
	if len(a.Ticks) < 2 {
		return 1
	}
	return a.Ticks[1].At - a.Ticks[0].At
}
