package scenario

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/stormwheel/stormwheel/bench/foreign"
	"github.com/stormwheel/stormwheel/bench/nodes"
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
	if c.command() != "" {
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

// weather waits until the command is over, somebody was hit, and all who were are back, and are a heartbeat later.
func (s *Stage) weather(ctx context.Context, addrs []string, command *blowCommand) error {
	doors := nodes.Knock(addrs)
	defer doors.Close()
	t0, _ := s.Clients.StormAt()
	all, err := false, error(nil)
	for again := true; again && err == nil; {
		s.Enter("recovery", s.left(t0))
		if all, err = s.until(ctx, s.left(t0), s.weathered(doors, t0, command)); err != nil || !all {
			break
		}
		hit := s.Clients.Counts().StormClients
		if again = hit > 0; again {
			s.Say("all of them are back")
			again, err = s.aftermath(ctx, hit)
		}
	}
	if s.noteOutage(doors, t0); s.Servers.AcceptedAfter() == nil {
		if _, shut := doors.Opened(); !shut {
			s.Servers.Accept(0)
		}
	}
	s.Struck = command.end(ctx, s.Say)
	switch {
	case err != nil:
	case s.Clients.Counts().StormClients == 0:
		s.Unstruck = fmt.Sprintf("nobody lost a session, or was told to move, within %v", (s.Clients.Now() - t0).Round(time.Second))
		s.Say("%s", s.Unstruck)
	case !all:
		s.Say("not all of them are back: the wait is over")
	}
	return err
}

// left is what is left of the time for the recovery.
func (s *Stage) left(t0 time.Duration) time.Duration {
	return max(s.RecoveryTimeout-(s.Clients.Now()-t0), 0)
}

// weathered tells whether the command is over and all who were hit are back; or nobody was, and the clients
// would have noticed.
func (s *Stage) weathered(doors *nodes.Doors, t0 time.Duration, command *blowCommand) func() bool {
	notice := s.Clients.LongestInterval() + s.PongTimeout + time.Second
	var calmSince time.Time
	return func() bool {
		over := command.ended(s.Say)
		s.noteOutage(doors, t0)
		n := s.Clients.Counts()
		if over && n.StormClients == 0 {
			if calmSince.IsZero() {
				calmSince = time.Now()
			}
			return time.Since(calmSince) > notice
		}
		return over && n.StormBack >= n.StormClients
	}
}

// aftermath waits for a heartbeat, and reports whether there is a second wave: what a network does that says
// nothing is noticed by one client after the other.
func (s *Stage) aftermath(ctx context.Context, hit int) (second bool, err error) {
	beat := s.heartbeatOr(s.Clients.LongestInterval())
	s.Enter("aftermath", beat)
	return s.until(ctx, beat, func() bool {
		n := s.Clients.Counts()
		return n.StormClients > hit || n.StormBack < n.StormClients
	})
}

// noteOutage notes when no target accepts, and when one does again.
func (s *Stage) noteOutage(doors *nodes.Doors, t0 time.Duration) {
	at, shut := doors.Opened()
	if shut && s.noNode == nil {
		s.noNode = s.Note(result.EventOutage, "", "no target accepts")
	}
	if at != nil && s.noNode != nil {
		s.noNode()
	}
	if at != nil && s.Servers.AcceptedAfter() == nil {
		after := s.Clients.Now() - time.Since(*at) - t0
		s.Servers.Accept(after)
		s.Say("a target accepts again, after %.1f s", after.Seconds())
	}
}

// blowCommand is the command of a storm; a nil one is over.
type blowCommand struct {
	shell *child.Shell
	seen  result.Command
	over  func() // is told that it has ended
	told  int    // lines
	said  bool
}

// mostTold is how many lines of a command are told as they come; all of them are among the last that the result has.
const mostTold = 20

// ended tells what the command says, and that it has ended.
func (b *blowCommand) ended(say func(string, ...any)) bool {
	if b == nil {
		return true
	}
	over := false
	select {
	case <-b.shell.Done():
		over = true
	default:
	}
	b.listen(over, say)
	if over && !b.said {
		b.said = true
		b.over()
		say("the command has ended after %.1f s: %s", b.shell.Took().Seconds(), howEnded(b.shell))
	}
	return over
}

func (b *blowCommand) listen(rest bool, say func(string, ...any)) {
	for _, line := range b.shell.Lines(rest) {
		b.seen.Said += line + "\n"
		b.seen.Said = b.seen.Said[max(0, len(b.seen.Said)-mostKept):]
		if b.told++; b.told <= mostTold {
			say("  | %s", line)
		}
		if b.told == mostTold {
			say("  | (what else it says is not shown)")
		}
	}
}

// mostKept is how much of what a command says the result has, in bytes.
const mostKept = 4096

func howEnded(shell *child.Shell) string {
	if code := shell.Code(); code != nil {
		return fmt.Sprintf("exit status %d", *code)
	}
	return shell.Exit().Error()
}

// end is what has become of the command. One that still runs is ended, with all of its process group.
func (b *blowCommand) end(ctx context.Context, say func(string, ...any)) *result.Command {
	if b == nil {
		return nil
	}
	defer b.shell.Remove()
	if !b.ended(say) {
		b.shell.End()
		b.seen.Failed = new(fmt.Sprintf("the command still ran after %.0f s (--recovery-timeout), and was ended, with its process group", b.shell.Took().Seconds()))
		if ctx.Err() != nil {
			b.seen.Failed = new(interruptedMeanwhile)
		}
		say("%s", *b.seen.Failed)
		b.ended(say)
	} else if b.shell.Exit() != nil {
		why := "the command of the storm failed: " + howEnded(b.shell)
		if last := lastLine(b.seen.Said); last != "" {
			why += ": " + last
		}
		b.seen.Failed = &why
	} else if ctx.Err() != nil {
		say("%s", interruptedMeanwhile)
	}
	b.seen.TookS, b.seen.Exit = b.shell.Took().Seconds(), b.shell.Code()
	return &b.seen
}

// interruptedMeanwhile is told of a run that is asked to end while its command, or what came of it, is under way.
const interruptedMeanwhile = "this load test was asked to end while the storm went on: a command that ends processes by their name, as pkill does, may have meant the load test, too"

// firstLine is a command line in a line, for people.
func firstLine(command string) string {
	first, _, more := strings.Cut(strings.TrimSpace(command), "\n")
	if more {
		first += " ..."
	}
	return first
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.TrimSpace(lines[len(lines)-1])
}
