package gate

import "testing"

func TestBoundShrinksOverTheLastEighthOfTheBudget(t *testing.T) {
	b := Budget{Max: 8000}
	for _, tt := range []struct{ queued, want int }{{0, 100}, {7000, 100}, {7500, 50}, {7990, 1}, {8000, 0}, {9000, 0}} {
		b.queued.Store(int64(tt.queued))
		if got := b.Bound(100); got != tt.want {
			t.Errorf("%d of 8000 queued: bound %d, want %d", tt.queued, got, tt.want)
		}
	}
	if got := (&Budget{}).Bound(100); got != 100 {
		t.Errorf("no budget: bound %d, want 100", got)
	}
}
