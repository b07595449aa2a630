package pulse

import (
	"testing"
	"time"
)

// Who has begun at another time has the same moments.
func TestMomentsAreTheSameForAll(t *testing.T) {
	first := time.Date(2026, 11, 30, 23, 59, 59, 123456789, time.UTC)
	for _, later := range []time.Duration{0, 1, Time - 1, Time, 7*time.Second + 3, time.Hour} {
		one, other := Origin(first), Origin(first.Add(later))
		if one.After(first) || first.Sub(one) >= Time {
			t.Errorf("the origin of %v is %v", first, one)
		}
		now := first.Add(later + 50*time.Millisecond)
		if a, b := one.Add(Next(now.Sub(one))), other.Add(Next(now.Sub(other))); !a.Equal(b) || !a.After(now) || a.Sub(now) > Time {
			t.Errorf("after %v the next is %v for the one, %v for the other", now, a, b)
		}
	}
	if got := Next(3 * Time); got != 4*Time {
		t.Errorf("the next after the third is at %v", got)
	}
}
