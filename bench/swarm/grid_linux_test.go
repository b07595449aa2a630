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

// While a PONG is waited for, what looks after it meets others.
func TestTimersOfAClientThatWaitsAreLoose(t *testing.T) {
	f := &benchtest.Node{Terms: codec.Terms{Interval: time.Minute, Timeout: time.Hour}, NoPong: true}
	benchtest.Start(t, f)
	s, _ := startSwarm(t, 20, func(c *Config) { c.PongTimeout = time.Minute }, f)
	benchtest.WaitFor(t, "all are ready", func() bool { return s.Ready() == 20 })
	s.RollCall(0)
	later := make(chan int, len(s.loops))
	s.eachLoop(func(l *loop) {
		n := 0
		for i := range l.clients {
			c := &l.clients[i]
			if exact, due := c.link.Deadline(), l.linkDue(c); c.flags.has(flagAsked) && due != exact {
				n++
				if wait := exact - c.asked.wrote; due < exact || due-exact > wait/looseness || due%loose(wait) != 0 {
					t.Errorf("a timer of a wait of %v is due at %v in place of %v", wait, due, exact)
				}
			}
		}
		later <- n
	})
	n := 0
	for range s.loops {
		n += <-later
	}
	if n == 0 {
		t.Error("nobody's timer waits for others")
	}
}
