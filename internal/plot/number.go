package plot

import (
	"math"
	"strconv"
	"strings"
)

// Number is v for people: with the decimals that a step of that size needs, and a comma
// every three digits.
func Number(v, step float64) string {
	decimals := 0
	if step < 1 {
		decimals = min(int(math.Ceil(-math.Log10(step)-1e-9)), 6)
	}
	whole, fraction, _ := strings.Cut(strconv.FormatFloat(v, 'f', decimals, 64), ".")
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

// NiceStep is 1, 2 or 5 times a power of ten, and v at least.
func NiceStep(v float64) float64 {
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

// largest is beyond any figure that is measured; what exceeds it is not drawn.
const largest = 1e18

// Drawable reports whether v has a place in a picture.
func Drawable(v float64) bool { return math.Abs(v) <= largest } // NaN is not
