package scenario

import (
	"context"
	"fmt"
	"time"

	"github.com/stormwheel/stormwheel/bench/result"
)

// cut breaks the connections to the first target, or a share of all, as a network does that
// fails, and waits until the clients are back and the nodes have noticed.
type cut struct{}

// cutCount is how many clients a cut hits.
func (c *Config) cutCount() int {
	if c.Fraction > 0 {
		return c.misbehaving()
	}
	if c.targets() == 1 { // the probes are there too
		return c.Conns - c.ProbeCount()
	}
	return c.onFirst()
}

func (cut) promises(c *Config) []string {
	all := []string{
		fmt.Sprintf("conns.end==%d", c.Conns),
		fmt.Sprintf("storm.clients==%d", c.cutCount()),
		fmt.Sprintf("storm.t100_s<=%g", c.RecoveryTimeout.Seconds()),
		"storm.attempts_per_success<=1.2",
		"eviction.false==0",
	}
	if c.Spawn > 0 {
		all = append(all, "conns.ghosts==0", fmt.Sprintf("storm.ghosts_gone_s<=%g", c.ghostTime().Seconds()))
	}
	return all
}

// ghostTime is within which nodes have evicted connections that nobody ended: the timeout,
// two ticks, and a second for what asks them.
func (c *Config) ghostTime() time.Duration { return c.Timeout + 2*c.Tick + time.Second }

func (cut) strike(ctx context.Context, s *Stage) error {
	victim := ""
	if s.Fraction == 0 {
		victim = s.Servers.Addrs()[0]
	}
	s.Servers.Sample(ctx)
	s.Clients.BeginStorm() // the nodes are alive: what they close is for them to answer for
	hit := s.cutCount()
	if of := (Phase{Fraction: s.Fraction}); len(s.Phases) > 0 && of.Fraction > 0 {
		hit = of.silenced(s.Clients.Speaking()) // not all that later phases bring
	}
	n, silent := s.Clients.Cut(victim, hit)
	how := "without FIN and RST (TCP_REPAIR)"
	s.CutBy = result.CutSilently
	switch {
	case len(s.sockets) > 0: // TCP_REPAIR is TCP's
		how = "by a close, which is all that a unix socket has"
		s.CutBy = result.CutByClose
	case silent < n:
		how = "by RST, since this process lacks CAP_NET_ADMIN"
		s.CutBy = result.CutByReset
	}
	s.Note(result.EventCut, "", fmt.Sprintf("%d connections are cut, %s", n, how))
	s.ghostless = nil
	s.Enter("recovery", max(s.RecoveryTimeout, s.ghostTime()))
	s.Say("%d connections cut %s", n, how)
	return s.awaitRecovery(ctx, n, s.Clients.Now(), s.ghostTime()+ghostPatience)
}
