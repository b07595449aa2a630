package scenario

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/stormwheel/stormwheel/bench/fleet"
	"github.com/stormwheel/stormwheel/bench/handshakes"
	"github.com/stormwheel/stormwheel/bench/nodes"
	"github.com/stormwheel/stormwheel/bench/result"
	"github.com/stormwheel/stormwheel/codec"
)

// Stage is where a scenario plays: its clients, its servers, and what it can do and wait for.
// It is the playing goroutine's alone; Say and Enter are of whoever watches the run.
type Stage struct {
	*Plan
	Clients *fleet.Fleet
	Servers *nodes.Servers
	Say     func(format string, args ...any)        // tells of an event
	Enter   func(name string, atMost time.Duration) // begins a part of the scenario; 0: nobody knows how long
	// Note keeps an event for the result: what begins now, on which node ("": not on one alone), in words.
	// over ends it, and may be repeated; an event that is a moment has no use for it.
	Note func(kind result.EventKind, target, words string) (over func())
	Found
}

// Found is what a scenario notes for the result, beyond what is counted.
type Found struct {
	CutBy            string         // how a cut was made
	GhostsGone       *time.Duration // since a cut or a thaw
	Drained          *time.Duration // since the node was asked to end
	Soaks            bool           // it is a soak, from and to when
	SoakFrom, SoakTo time.Duration
	T0By             string           // who knew when a storm from outside began
	Struck           *result.Command  // what brought it about
	Unstruck         string           // why nothing is known to have
	Handshakes       *handshakes.Seen // that were made in a row
	Shaking          handshakes.Meter // while they are; any goroutine

	noNode    func()         // ends the event that no node could accept; nil: there is none
	ghostless *time.Duration // from when on no sample has shown a ghost; nil: the latest did
}

// pollEvery is how often a scenario looks whether what it waits for has happened.
const pollEvery = 20 * time.Millisecond

// until waits for cond, at most for bound. It reports whether cond came true; the error is
// the end of the run.
func (s *Stage) until(ctx context.Context, bound time.Duration, cond func() bool) (bool, error) {
	deadline := time.NewTimer(bound)
	defer deadline.Stop()
	poll := time.NewTicker(pollEvery)
	defer poll.Stop()
	for {
		if cond() {
			return true, nil
		}
		select {
		case <-poll.C:
		case <-deadline.C:
			return cond(), nil
		case <-ctx.Done():
			return false, context.Cause(ctx)
		}
	}
}

// pass lets time go by.
func (s *Stage) pass(ctx context.Context, d time.Duration) error {
	_, err := s.until(ctx, d, func() bool { return false })
	return err
}

// passIn lets time go by in a phase of its own.
func (s *Stage) passIn(ctx context.Context, phase string, d time.Duration) error {
	s.Enter(phase, d)
	return s.pass(ctx, d)
}

// rampPatience is how long after the last arrival a ramp may take.
const rampPatience = 15 * time.Second

// ramp waits until all clients are ready. Those that are not by then count as missing at
// the end, and the run goes on; unless nobody at all is welcomed.
func (s *Stage) ramp(ctx context.Context) error { return s.rampWithin(ctx, 0) }

// rampWithin is ramp for clients that need so much longer.
func (s *Stage) rampWithin(ctx context.Context, longer time.Duration) error {
	patience := s.Clients.RampTime() + rampPatience + longer
	joining := s.joining()
	s.Enter("ramp", patience)
	over, err := s.awaitWelcomes(ctx, patience, func() bool {
		return s.Clients.Ready() >= joining && s.Clients.Counts().Muted >= s.Conns-joining
	})
	switch {
	case err != nil:
		return err
	case over:
		s.Say("all %d clients are ready", joining)
	default:
		s.Say("%d of %d clients are ready, going on with them", s.Clients.Ready(), s.Conns)
	}
	return nil
}

// joining is how many clients a ramp brings in; the others stay half-open, or have not said
// HELLO to its end.
func (p *Plan) joining() int {
	c := p.Swarm()
	if c.TooSlow && !c.TricklePings {
		return c.Conns - c.Tricklers
	}
	return c.Conns - c.HalfOpen
}

// awaitWelcomes waits for cond, at most for bound, unless a target has welcomed nobody at all,
// or nodes have and say that it will stay like that.
func (s *Stage) awaitWelcomes(ctx context.Context, bound time.Duration, cond func() bool) (bool, error) {
	shunned := false
	over, err := s.until(ctx, bound, func() bool {
		n := s.Clients.Counts()
		unwanted := s.Spawn == 0 || n.Refusal.Advice() == codec.AvoidAddress
		shunned = unwanted && s.Clients.Now() > welcomePatience && n.Established == 0
		return shunned || cond()
	})
	if err == nil && shunned {
		n := s.Clients.Counts()
		why := n.Failures.Words()
		if n.Cause != "" {
			why += "; the first: " + n.Cause
		}
		if n.Refusal != 0 && !strings.Contains(why, n.Refusal.String()) {
			why += fmt.Sprintf("; the server says %v (%d)", n.Refusal, n.Refusal)
		}
		if s.ProxyProtocol != "" && n.Failures.GoAway+n.Failures.Closed > 0 {
			why += "; does the node trust the addresses that PROXY headers come from? " + proxySources
		}
		err = fmt.Errorf("nobody was welcomed at %s within %v%s", strings.Join(s.Servers.Addrs(), ", "), welcomePatience, why)
	}
	return over, err
}

// proxySources is where a node gets PROXY headers from.
const proxySources = "On loopback bench comes from 127.0.0.2 on: trust 127.0.0.0/8, or say --source 127.0.0.1"

// steady is the calm after the ramp, before the blow if there is one.
func (s *Stage) steady(ctx context.Context) error {
	d := s.heartbeatOr(s.Duration)
	s.Say("steady for %v (--duration)", d)
	return s.passIn(ctx, "steady", d)
}

// heartbeatOr is d, or one heartbeat if d is 0. Of a foreign target that is not told.
func (s *Stage) heartbeatOr(d time.Duration) time.Duration {
	if d == 0 {
		d = s.Heartbeat
	}
	if d == 0 {
		d = 5 * time.Second
	}
	return d
}

// welcomePatience is how long a target that accepts may welcome nobody.
const welcomePatience = 10 * time.Second
