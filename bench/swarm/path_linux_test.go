package swarm

import (
	"net"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/bench/benchtest"
	"github.com/stormwheel/stormwheel/codec"
)

// The node is killed and back. The alternate that it named was never to be reached.
func TestASwarmIsNotKeptAwayByAnAlternateWithoutARoute(t *testing.T) {
	f := benchtest.Start(t, &benchtest.Node{Alternates: "255.255.255.255:7000"})
	const n = 20
	s, _ := startSwarm(t, n, func(c *Config) { c.AnyAddress, c.Sources = true, nil }, f)
	benchtest.WaitFor(t, "all are ready", func() bool { return s.Ready() == n })
	f.Stop()
	benchtest.WaitFor(t, "attempts at the alternate fail", func() bool { return s.Counts().Failures.Other >= n })
	l, err := net.Listen("tcp4", f.Addr())
	if err != nil {
		t.Fatal(err)
	}
	again := &benchtest.Node{Alternates: f.Alternates}
	again.Serve(l)
	t.Cleanup(again.Stop)
	benchtest.WaitFor(t, "all are back", func() bool { return s.Ready() == n && again.Conns() == n })
}

func TestASwarmIgnoresAlternatesOnRequest(t *testing.T) {
	second := benchtest.Start(t, &benchtest.Node{})
	first := benchtest.Start(t, &benchtest.Node{Alternates: second.Addr(), Terms: codec.Terms{Interval: 200 * time.Millisecond, Timeout: time.Second}})
	s, _ := startSwarm(t, 5, func(c *Config) { c.IgnoreAlternates = true }, first)
	benchtest.WaitFor(t, "all are ready", func() bool { return s.Ready() == 5 })
	first.Stop()
	benchtest.WaitFor(t, "some attempts", func() bool { return s.Counts().Failures.Refused > 10 })
	if n := second.Accepted.Load(); n != 0 {
		t.Errorf("%d went to the alternate", n)
	}
}

// A node of another version costs the run its refusals, and nobody his place at the good one.
func TestASwarmLeavesANodeThatRefusesIt(t *testing.T) {
	good := benchtest.Start(t, &benchtest.Node{})
	refusing := benchtest.Start(t, &benchtest.Node{Meet: func(c *net.TCPConn, _ int) bool {
		_, _ = c.Write(benchtest.GoAway(codec.CodeVersion))
		return true
	}})
	const n = 20
	s, finish := startSwarm(t, n, nil, refusing, good)
	benchtest.WaitFor(t, "all are ready", func() bool { return s.Ready() == n })
	if got := finish().Counters; got.Refusal != codec.CodeVersion || got.Failures.Total() != n/2 || good.Accepted.Load() != n {
		t.Errorf("refusal %v, failures %+v", got.Refusal, got.Failures)
	}
}
