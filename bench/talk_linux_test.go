package bench

import (
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/bench/benchtest"
	"github.com/stormwheel/stormwheel/bench/result"
)

// A node that acknowledges what it does not carry passes nothing, and the ledger says what it did.
func TestANodeThatCarriesNothingFailsATalk(t *testing.T) {
	for _, workers := range []int{1, 2} {
		benchtest.LeavesNothing(t)
		cfg := inWorkers(t, workers, "good", "talk", 1, 20)
		cfg.Send, cfg.Every, cfg.Duration = "64B", 100*time.Millisecond, 300*time.Millisecond
		r, err := Run(t.Context(), cfg, View{})
		if result.ExitCode(err) != result.ExitThreshold {
			t.Fatalf("%v, want a promise that failed", err)
		}
		m := r.Messages
		if m.Sent != 60 || m.Acknowledged != 60 || m.Published != 60 || m.Undelivered != 60 || m.Delivered != 0 || m.HeldLost != 60 || m.Lost != 0 || m.LatencyMs == nil || m.DeliverLatencyMs != nil {
			t.Errorf("messages = %+v, want 60 of which no copy came: taken is no promise", m)
		}
		if l := r.Load; l.Devices != 1 || l.Messages != "bolt" || l.SendBytes != 64 {
			t.Errorf("load = %+v", l)
		}
		if err := validate(t, r); err != nil {
			t.Error(err)
		}
	}
}
