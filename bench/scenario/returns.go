package scenario

import (
	"context"
	"time"

	"github.com/stormwheel/stormwheel/bench/swarm"
)

// The ways in which a storm ends: its clients are back, and nodes hold nobody else.

// awaitReturns waits until so many clients were hit and all of them are back, lifts what
// slows nodes down until then, and waits for a heartbeat more.
func (s *Stage) awaitReturns(ctx context.Context, hit int, lift ...func()) error {
	s.Enter("recovery", s.RecoveryTimeout)
	all, err := s.until(ctx, s.RecoveryTimeout, func() bool {
		n := s.Clients.Counts()
		return n.StormClients >= hit && n.StormBack >= n.StormClients
	})
	for _, f := range lift {
		f()
	}
	if err != nil {
		return err
	}
	if !all {
		s.Say("not all of them are back: the wait is over")
		return nil
	}
	s.Say("all of them are back")
	return s.passIn(ctx, "aftermath", s.heartbeatOr(0)) // a second wave would show here
}

// awaitRecovery waits until so many clients were hit and all of them are back, and until the
// nodes hold no ghost, the time of which counts from since.
func (s *Stage) awaitRecovery(ctx context.Context, hit int, since, ghostBound time.Duration) error {
	back := func() bool {
		n := s.Clients.Counts()
		return n.StormClients >= hit && n.StormBack >= n.StormClients
	}
	var looked time.Time
	haunted := func() bool {
		if len(s.Servers.Nodes) == 0 || s.GhostsGone != nil {
			return false
		}
		if time.Since(looked) >= swarm.PublishEvery { // it asks every node
			looked = time.Now()
			if gone, sure := s.ghostFree(ctx); sure {
				s.GhostsGone = new(gone - since)
			}
		}
		return s.GhostsGone == nil
	}
	all, err := s.until(ctx, max(s.RecoveryTimeout, ghostBound), func() bool { gone := !haunted(); return back() && gone })
	switch {
	case err != nil:
		return err
	case all:
		s.Say("all of them are back")
		return s.passIn(ctx, "aftermath", s.heartbeatOr(0)) // a second wave would show here
	case back():
		s.Say("all of them are back, but nodes hold connections that nobody has: the wait is over")
	default:
		s.Say("not all of them are back: the wait is over")
	}
	return nil
}
