package scenario

import (
	"context"
	"fmt"
	"time"

	"github.com/stormwheel/stormwheel/bench/nodes"
	"github.com/stormwheel/stormwheel/bench/result"
)

// How a storm from outside ends.

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
		before := s.Clients.Counts().Losses
		s.Unstruck = unstruck(s.Clients.Now()-t0, before.Total())
		s.Say("%s", s.Unstruck)
	case !all:
		s.Say("not all of them are back: the wait is over")
	}
	return err
}

// unstruck says that a storm struck nobody; before is how many sessions had been lost when it was to begin.
func unstruck(within time.Duration, before int) string {
	says := fmt.Sprintf("nobody lost a session, or was told to move, within %v", within.Round(time.Second))
	if before > 0 {
		says += fmt.Sprintf("; %d sessions had been lost before the storm was to begin", before)
	}
	return says
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
