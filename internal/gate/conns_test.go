package gate

import "testing"

func TestPendingConnectionsAreATenthOfTheMaximum(t *testing.T) {
	for _, tt := range []struct{ wanted, want int }{{10, 10}, {200, 200}, {1280, minPending}, {5000, 500}} {
		if got := NewConns(1<<20, 10, 1, 3, tt.wanted).MaxPending.Load(); got != int64(tt.want) {
			t.Errorf("of %d connections %d may be pending, want %d", tt.wanted, got, tt.want)
		}
	}
}

// Every loop may have a connection in hand that is over the mark.
func TestLastQuarterOfTheReserveHasRoomForEveryLoop(t *testing.T) {
	for _, loops := range []int{1, 16, 256} {
		for _, limit := range []int{2048, 20_000, 1 << 20} {
			g := NewConns(limit, 10, loops, 3, 1<<20)
			if over := limit - g.mark; over < loops || over < 8 {
				t.Errorf("limit %d, %d loops: %d descriptors over the mark", limit, loops, over)
			}
			if most := 10 + loops*3 + int(g.Max.Load()+g.MaxLingering); most > g.mark {
				t.Errorf("limit %d, %d loops: the node itself may use %d, beyond the mark at %d", limit, loops, most, g.mark)
			}
		}
	}
}

// More may knock than may be silent, or silent ones would hold all of it; none where the
// descriptors are the bound.
func TestMoreMayKnockThanMayBePending(t *testing.T) {
	if g := NewConns(1000, 10, 1, 3, 100); g.MaxKnocking.Load() != 2*g.MaxPending.Load() {
		t.Errorf("%d may knock and %d be pending", g.MaxKnocking.Load(), g.MaxPending.Load())
	}
	if g := NewConns(1000, 10, 1, 3, 1<<20); g.MaxKnocking.Load() != 0 {
		t.Errorf("%d may knock where there are no descriptors", g.MaxKnocking.Load())
	}
}
