package swarm

import (
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/bench/benchtest"
	"github.com/stormwheel/stormwheel/codec"
)

// PINGs wait for the grid: on one of an hour there are none, while others send hundreds. On any that the
// heartbeat allows they go on.
func TestPingsWaitForTheGrid(t *testing.T) {
	f := benchtest.Start(t, &benchtest.Node{Terms: codec.Terms{Interval: 100 * time.Millisecond, Timeout: time.Minute}})
	swarms := map[time.Duration]*Swarm{}
	for _, grid := range []time.Duration{time.Hour, 20 * time.Millisecond, 0} {
		swarms[grid], _ = startSwarm(t, 20, func(c *Config) { c.Grid = grid }, f)
	}
	for _, grid := range []time.Duration{20 * time.Millisecond, 0} {
		benchtest.WaitFor(t, "200 PONGs", func() bool { return swarms[grid].Counts().Pongs >= 200 })
	}
	if n := swarms[time.Hour].Counts().Pings; n > 0 {
		t.Errorf("%d PINGs before the grid's first multiple", n)
	}
}
