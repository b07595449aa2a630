package gate

import (
	"testing"
	"time"
)

func TestPaceKeepsItsGapAndNoMoreThanItsBurst(t *testing.T) {
	const second = time.Second
	p := Pace{Gap: second, Burst: 3 * second}
	for _, tt := range []struct{ due, now, next, wait time.Duration }{
		{0, 0, second, 0},
		{5 * second, 0, 6 * second, 5 * second}, // early
		{5 * second, 5 * second, 6 * second, 0},
		{5 * second, 7 * second, 6 * second, 0},     // two were not taken: they are not lost
		{5 * second, 99 * second, 97 * second, 0},   // more than the burst are
		{0, -2 * second, second, 2 * second},        // times have no zero
		{-9 * second, -second, -3 * second, 0},      // here neither
		{5 * second, 8*second + 1, 6*second + 1, 0}, // to the nanosecond
	} {
		if next, wait := p.Next(tt.due, tt.now); next != tt.next || wait != tt.wait {
			t.Errorf("due %v at %v: next %v, wait %v; want %v and %v", tt.due, tt.now, next, wait, tt.next, tt.wait)
		}
	}
}
