package report

import (
	"math"
	"strconv"
	"strings"
)

// axis is one side of a picture. Values that are not finite, or beyond its ends, are not
// drawn.
type axis struct {
	label    string // with its unit
	min, max float64
	ticks    []tick
	log      bool // positions are the decimal logarithms of the values
}

// tick is a labelled place; at is a position, the logarithm on a logarithmic axis.
type tick struct {
	at    float64
	label string
}

// largest is beyond any figure that a run can have; what exceeds it is not drawn.
const largest = 1e18

func drawable(v float64) bool { return math.Abs(v) <= largest } // NaN is not

// place is where v is between the ends, as a share of their distance.
func (a axis) place(v float64) float64 {
	if a.log {
		v = math.Log10(max(v, math.Pow(10, a.min)))
	}
	return (v - a.min) / (a.max - a.min)
}

// fromZero is an axis from 0 to the next tick beyond most; or a tick below least, when that
// is negative.
func fromZero(label string, least, most float64) axis { return steps(label, least, most, 5) }

func steps(label string, least, most, pieces float64) axis {
	step := niceStep((max(most, 0) - min(least, 0)) / pieces)
	a := axis{label: label, min: step * math.Floor(min(least, 0)/step), max: step * math.Ceil(max(most, 0)/step)}
	if a.max <= a.min {
		a.max = a.min + step
	}
	for i := math.Round(a.min / step); i <= math.Round(a.max/step); i++ {
		a.ticks = append(a.ticks, tick{i * step, number(i*step, step)})
	}
	return a
}

// exactly is fromZero, ended where the data do; for time, of which every second counts.
func exactly(label string, least, most float64) axis {
	a := steps(label, least, most, 10)
	if most <= 0 {
		return a
	}
	a.max = most
	for len(a.ticks) > 0 && a.ticks[len(a.ticks)-1].at > most {
		a.ticks = a.ticks[:len(a.ticks)-1]
	}
	return a
}

// percent is 0 to 100.
func percent(label string) axis { return fromZero(label, 0, 100) }

// logarithmic spans whole decades.
func logarithmic(label string, least, most float64) axis {
	low, high := math.Floor(math.Log10(max(least, 1e-6))), math.Ceil(math.Log10(max(most, 1e-6)))
	if high <= low {
		high = low + 1
	}
	a := axis{label: label, min: low, max: high, log: true}
	every := math.Ceil((high - low) / 6)
	for at := low; at <= high; at += every {
		a.ticks = append(a.ticks, tick{at, number(math.Pow(10, at), math.Pow(10, at))})
	}
	return a
}

// percentiles is the axis of a spectrum of that many values.
func percentiles(total float64) axis {
	a := axis{label: "percentile", max: max(math.Ceil(nines(total, total)*4)/4, 1)}
	a.ticks = []tick{{0, "0 %"}, {-math.Log10(0.5), "50 %"}}
	for n := 1.0; n <= a.max; n++ {
		label := map[float64]string{1: "90 %", 2: "99 %"}[n]
		if label == "" {
			label = "99." + strings.Repeat("9", int(n)-2) + " %"
		}
		a.ticks = append(a.ticks, tick{n, label})
	}
	return a
}

// niceStep is 1, 2 or 5 times a power of ten, and v at least.
func niceStep(v float64) float64 {
	if !(v > 1e-9) {
		return 1
	}
	unit := math.Pow(10, math.Floor(math.Log10(v)))
	for _, n := range []float64{1, 2, 5} {
		if n*unit >= v*(1-1e-9) {
			return n * unit
		}
	}
	return 10 * unit
}

// number shows v with the decimals that a step of that size needs, and thousands apart.
func number(v, step float64) string {
	decimals := 0
	if step < 1 {
		decimals = min(int(math.Ceil(-math.Log10(step)-1e-9)), 6)
	}
	return thousands(strconv.FormatFloat(v, 'f', decimals, 64))
}

func thousands(digits string) string {
	whole, fraction, _ := strings.Cut(digits, ".")
	sign := ""
	if strings.HasPrefix(whole, "-") {
		sign, whole = "-", whole[1:]
	}
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if fraction != "" {
		whole += "." + fraction
	}
	return sign + whole
}
