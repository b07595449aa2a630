package scenario

import (
	"fmt"
	"time"

	"github.com/stormwheel/stormwheel/bench/result"
	"github.com/stormwheel/stormwheel/bench/tally"
)

// Unproven is why a run was too short to show anything, and how long it must be; empty if it was
// not. A server that ended what should have gone on, or did not answer, has shown enough.
func (c *Config) Unproven(n *tally.Counters, soak *result.Soak) string {
	if n.Losses.Total()+n.Failures.Total()+n.Unanswered > 0 {
		return ""
	}
	switch {
	case c.Trickle != "" && !c.tooSlow() && n.Trickled < c.misbehaving():
		_, longest := c.trickleTime()
		after := "the connect"
		if c.Trickle == "ping" {
			after = "a heartbeat"
		}
		return fmt.Sprintf("%d of %d clients had sent a whole %s when the run ended; it must last %v beyond %s", n.Trickled, c.misbehaving(), c.Trickle, longest, after)
	case c.Lifetime > 0 && n.Departures == 0:
		return fmt.Sprintf("no session ended: of %d clients with a lifetime of %v one leaves every %v, and the run must last some of those",
			c.Conns, c.Lifetime, time.Duration(float64(c.Lifetime)/float64(c.Conns)).Round(time.Millisecond))
	case soak != nil && c.Duration < tally.ShortestSoak && (c.Spawn > 0 || len(c.PIDs) > 0) && (soak.RSSGrowth == nil || soak.FDsGrowth == nil):
		return fmt.Sprintf("a soak of %v has too few readings to compare its quarters; it must last %v or more", c.Duration, tally.ShortestSoak)
	default:
		return ""
	}
}
