package live

import (
	"fmt"
	"math"
	"strconv"
	"time"
)

// count writes 12345 as 12,345.
func count(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// millis writes milliseconds with about three digits.
func millis(v float64) string {
	switch a := math.Abs(v); {
	case a < 9.995:
		return strconv.FormatFloat(v, 'f', 2, 64)
	case a < 99.95:
		return strconv.FormatFloat(v, 'f', 1, 64)
	default:
		return count(int(math.Round(v)))
	}
}

// secs writes a time in seconds, without the unit.
func secs(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', 1, 64) }

// whole writes seconds, without tenths where they do not matter.
func whole(d time.Duration) string {
	if d >= 10*time.Second || d%time.Second == 0 {
		return fmt.Sprintf("%.0f", d.Truncate(time.Second).Seconds())
	}
	return secs(d)
}

// size writes bytes as MB or GB.
func size(n int64) string {
	switch {
	case n < 9_950_000:
		return strconv.FormatFloat(float64(n)/1e6, 'f', 1, 64) + " MB"
	case n < 9_950_000_000:
		return count(int(math.Round(float64(n)/1e6))) + " MB"
	default:
		return strconv.FormatFloat(float64(n)/1e9, 'f', 1, 64) + " GB"
	}
}
