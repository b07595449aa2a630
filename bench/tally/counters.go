package tally

import (
	"time"

	"github.com/stormwheel/stormwheel/bench/result"
	"github.com/stormwheel/stormwheel/codec"
)

// Counters are what a loop counts; plain numbers, owned by the loop.
type Counters struct {
	Started     int
	Attempts    int
	Established int
	FirstReady  int           // clients that reached WELCOME for the first time
	RampEnd     time.Duration // when the last of those did
	HeldBack    time.Duration // by how much the load test put an arrival off, at most
	Failures    result.Failures
	Interval    time.Duration // the longest time that a session went without a PING
	Refusal     codec.Code    // of the latest GOAWAY in place of WELCOME
	Cause       string        // why the first attempt that failed did, for people
	Losses      result.Losses

	Pings, Pongs, Missed int
	Unanswered           int // PINGs of which nobody waits for the PONG any more
	Pending              int // of those, still waited for at the end
	Withdrawn            int // PINGs that the client or the scenario left unanswered

	Messages Messages

	Trickled   int // clients that have sent a whole frame byte by byte
	Muted      int
	Observed   int
	OtherMutes int // closed, but not for their silence
	Early      int
	Falsely    int
	Faults     int

	Departures int // by BYE
	Returns    int // welcomed clients that arrived for one that left

	StormClients int // hit
	StormBack    int // of those, in service
	Regained     int // outages that are over
}

// Add takes what another loop, or swarm, has.
func (c *Counters) Add(o *Counters) {
	c.Started += o.Started
	c.Attempts += o.Attempts
	c.Established += o.Established
	c.FirstReady += o.FirstReady
	c.RampEnd = max(c.RampEnd, o.RampEnd)
	c.HeldBack = max(c.HeldBack, o.HeldBack)
	c.Failures.Add(&o.Failures)
	c.Interval = max(c.Interval, o.Interval)
	if o.Refusal != 0 {
		c.Refusal = o.Refusal
	}
	if c.Cause == "" {
		c.Cause = o.Cause
	}
	c.Losses.Add(&o.Losses)
	c.Pings += o.Pings
	c.Pongs += o.Pongs
	c.Missed += o.Missed
	c.Unanswered += o.Unanswered
	c.Pending += o.Pending
	c.Withdrawn += o.Withdrawn
	c.Messages.Add(&o.Messages)
	c.Trickled += o.Trickled
	c.Muted += o.Muted
	c.Observed += o.Observed
	c.OtherMutes += o.OtherMutes
	c.Early += o.Early
	c.Falsely += o.Falsely
	c.Faults += o.Faults
	c.Departures += o.Departures
	c.Returns += o.Returns
	c.StormClients += o.StormClients
	c.StormBack += o.StormBack
	c.Regained += o.Regained
}

// Waiting is how many PINGs are neither answered nor given up.
func (c *Counters) Waiting() int { return c.Pings - c.Pongs - c.Unanswered - c.Withdrawn }
