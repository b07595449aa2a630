package scenario

import (
	"context"
	"fmt"
	"time"

	"github.com/stormwheel/stormwheel/bench/foreign"
	"github.com/stormwheel/stormwheel/bench/result"
	"github.com/stormwheel/stormwheel/bench/swarm"
	"github.com/stormwheel/stormwheel/internal/child"
)

// external is a storm that strikes targets from outside: a command does (--storm-cmd, --drain-cmd), somebody does at a
// known time (--storm-at), or somebody does, sometime. Nobody knows which targets are struck, so all may be.
type external struct{}

// defaultWatch is how long a blow is waited for of which nobody tells when it comes.
const defaultWatch = 10 * time.Minute

// outside reports whether the storm comes from outside.
func (c *Config) outside() bool { return c.Kind == "external" }

// command is the one that strikes; empty: there is none.
func (c *Config) command() string { return c.StormCmd + c.DrainCmd }

// told: somebody says when the blow comes.
func (c *Config) told() bool { return c.command() != "" || c.StormAt > 0 }

// promises: what a blow of which nothing is known must leave. How often clients knock while nobody is there is not
// judged, nor is what pauses there are in their return: both depend on how long that was.
func (external) promises(c *Config) []string {
	all := []string{
		fmt.Sprintf("conns.end==%d", c.Conns),
		"storm.clients>0",
		fmt.Sprintf("storm.t100_s<=%g", c.RecoveryTimeout.Seconds()),
		"eviction.false==0",
	}
	if c.DrainCmd != "" {
		all = append(all, "storm.offline==0", "storm.lost_connection_seconds==0", "storm.attempts_per_success<=1.1")
	}
	return all
}

// fillExternal has the defaults of such a storm.
func (c *Config) fillExternal() {
	if c.command() != "" || c.StormAt != 0 {
		fill(&c.Kind, "external")
	}
}

// checkExternal returns one sentence about the first flag of such a storm that makes no sense.
func (c *Config) checkExternal() error {
	switch {
	case !c.outside() && (c.command() != "" || c.StormAt != 0):
		return result.Usage("--storm-cmd, --drain-cmd and --storm-at are for --kind external, not for %s", c.Kind)
	case !c.outside():
		return nil
	case c.Spawn > 0:
		return result.Usage("--kind external strikes targets from outside: it needs --target; nodes of --spawn are struck by the other kinds")
	case c.StormCmd != "" && c.DrainCmd != "":
		return result.Usage("--storm-cmd and --drain-cmd exclude each other: a result tells of one storm")
	case c.DrainCmd != "" && c.Protocol != foreign.Own:
		return result.Usage("--drain-cmd: %s has no word with which a server hands its clients over; say --storm-cmd", c.Protocol)
	case c.Probes > 0:
		return result.Usage("--probes is not for --kind external: nobody knows whom it leaves alone")
	case c.StormAt < 0:
		return result.Usage("--storm-at: %v is below 0", c.StormAt)
	case c.StormAt > 0 && len(c.Phases) > 0:
		return result.Usage("--storm-at is not for phases: what comes before the storm says when it comes")
	case c.StormAt > 0 && c.StormAt.Seconds() <= float64(c.Conns)/c.Rate:
		return result.Usage("--storm-at: after %v not all of %d clients have come, at %g a second", c.StormAt, c.Conns, c.Rate)
	case c.StormAt > 0 && c.Duration > 0:
		return result.Usage("--storm-at and --duration both say how long it is calm before the storm")
	}
	return nil
}

// calm is what comes before the blow, when all are in.
func (s *Stage) calm(ctx context.Context) error {
	switch {
	case !s.outside() || s.command() != "" && s.StormAt == 0:
		return s.steady(ctx)
	case s.StormAt > 0:
		left := max(s.StormAt-s.Clients.Now(), 0)
		s.Say("steady until %v (--storm-at)", s.StormAt)
		return s.passIn(ctx, "steady", left)
	}
	return nil // it is watched for at once
}

func (external) strike(ctx context.Context, s *Stage) error {
	addrs := s.Servers.Addrs()
	s.Servers.Sample(ctx)
	if !s.told() {
		s.T0By = result.T0ByLosses
		if found, err := s.awaitBlow(ctx, addrs); err != nil || !found {
			return err
		}
		return s.weather(ctx, addrs, nil)
	}
	on := s.Clients.Ready()
	s.T0By = result.T0ByClock
	s.Clients.BeginStorm(addrs...)
	if s.command() == "" {
		s.Say("the storm begins now (--storm-at), with %d clients", on)
		s.Note(result.EventStorm, "", fmt.Sprintf("the storm begins by the clock, with %d clients", on))
		return s.weather(ctx, addrs, nil)
	}
	s.T0By = result.T0ByCommand
	shell, err := child.RunShell(s.command())
	if err != nil {
		return fmt.Errorf("run the command of the storm: %w", err)
	}
	s.Say("with %d clients, this is run: %s", on, firstLine(s.command()))
	over := s.Note(result.EventCommand, "", "this is run: "+firstLine(s.command()))
	return s.weather(ctx, addrs, &blowCommand{shell: shell, over: over, seen: result.Command{Line: s.command()}})
}

// awaitBlow waits until sessions are lost in masses.
func (s *Stage) awaitBlow(ctx context.Context, addrs []string) (found bool, err error) {
	patience := s.Duration
	if patience == 0 {
		patience = defaultWatch
	}
	since := s.Clients.WatchStorm(addrs...)
	on := s.Clients.Ready()
	s.Enter("watch", patience)
	s.Say("%d clients are in; the storm is waited for, for %v at most (--duration)", on, patience)
	var looked time.Time
	found, err = s.until(ctx, patience, func() bool {
		if s.Clients.Counts().StormClients == 0 || time.Since(looked) < swarm.PublishEvery {
			return false
		}
		looked = time.Now()
		t0, found := s.Clients.FindStorm(since, on)
		if found {
			s.Say("the storm began at %.1f s: clients began to lose their sessions", t0.Seconds())
			s.Note(result.EventStorm, "", "clients begin to lose their sessions")
		}
		return found
	})
	if err == nil && !found {
		s.Unstruck = fmt.Sprintf("nothing struck the targets within %v: so few sessions were lost that no storm is found", patience)
		s.Say("%s", s.Unstruck)
	}
	return found, err
}
