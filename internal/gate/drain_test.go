package gate

import (
	"testing"
	"time"
)

func TestPaceKeepsToTheWindow(t *testing.T) {
	var d Drain
	for _, c := range []struct {
		rate   float64
		untold int64
		left   time.Duration
		want   time.Duration
	}{
		{1000, 500, time.Minute, time.Millisecond},
		{1000, 120_000, time.Minute, time.Minute / 120_000},
		{1000, 0, 0, time.Millisecond},
		{1000, 10, 0, 1},
		{1000, 10, -time.Second, 1},
		{1e12, 10, time.Minute, 1},
		{1e-300, 0, time.Minute, 1 << 62},
	} {
		d.SetPace(c.rate, c.untold, c.left)
		if got := time.Duration(d.gap.Load()); got < c.want-1 || got > c.want+c.want/1000+1 {
			t.Errorf("SetPace(%g, %d, %v) = %v, want %v", c.rate, c.untold, c.left, got, c.want)
		}
	}
}
