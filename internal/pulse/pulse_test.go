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
		if a, b := one.Add(Next(now.Sub(one))), other.Add(Next(now.Sub(other))); a.Sub(b).Abs() > 1 || !a.After(now) || a.Sub(now) > Time+1 {
			t.Errorf("after %v the next is %v for the one, %v for the other", now, a, b)
		}
	}
}

// Moments stay where the clock has its seconds and their halves, however long it runs, and come one after the other.
func TestMomentsDoNotDrift(t *testing.T) {
	for _, up := range []time.Duration{0, time.Second, 24 * time.Hour, 400 * 24 * time.Hour} {
		for _, at := range []time.Duration{up, up + time.Second/2} {
			if got := Last(at); got != at {
				t.Errorf("at %v the latest was at %v", at, got)
			}
		}
		at := up
		for i := range 10 * perSecond {
			next := Next(at)
			if gap := next - at; gap < Time || gap > Time+1 || Last(next) != next || Last(next-1) != at {
				t.Fatalf("the %dth after %v is %v after the one before, and the latest then is at %v", i+1, up, gap, Last(next))
			}
			at = next
		}
		if at != up+10*time.Second {
			t.Errorf("ten seconds of them end %v after %v", at-up, up)
		}
	}
}
