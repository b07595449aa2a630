package swarm

import (
	"testing"

	"github.com/stormwheel/stormwheel/bench/benchtest"
)

// The promise: how long clients were offline is known of all of them, without a storm as well.
func TestTheTimeWithoutASessionIsMeasuredOutsideStorms(t *testing.T) {
	a, b := benchtest.Start(t, &benchtest.Node{}), benchtest.Start(t, &benchtest.Node{})
	s, finish := startSwarm(t, 40, nil, a, b)
	benchtest.WaitFor(t, "all are ready", func() bool { return s.Ready() == 40 })
	begin := s.Now()
	a.Stop()
	benchtest.WaitFor(t, "20 are lost, and all are ready again", func() bool { n := s.Counts(); return n.Losses.Total() == 20 && s.Ready() == 40 })
	b.Stop()
	benchtest.WaitFor(t, "all are lost", func() bool { n := s.Counts(); return n.Losses.Total() == 60 })
	most := s.Now() - begin
	sum := finish()
	if n := sum.Away.Count(); n != 60 {
		t.Fatalf("%d times without a session are known, want 20 that ended, and 40 up to the end", n)
	}
	if longest := sum.Away.Quantile(100); longest <= 0 || longest > float64((most+s.Now()-begin).Milliseconds()) {
		t.Errorf("the longest was %g ms", longest)
	}
}
