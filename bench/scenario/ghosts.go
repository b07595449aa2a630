package scenario

import (
	"context"
	"time"
)

// ghostPatience is how long nodes may take to notice the ends of connections that were
// closed by the book.
const ghostPatience = 5 * time.Second

// ghosts is how many connections the spawned nodes hold beyond the clients' sessions. It is
// unknown if one of those that live does not say.
func (s *Stage) ghosts(ctx context.Context) (n int, known bool) {
	if len(s.Servers.Nodes) == 0 {
		return 0, false
	}
	s.Servers.Sample(ctx)
	return s.Servers.Ghosts(s.Clients.Ready())
}

// ghostFree reports since when the nodes hold nothing but sessions, and whether that is sure.
// A node tells of its last tick: while clients come back it lacks some of them, and as many
// ghosts do not show. So none must be seen for two ticks.
func (s *Stage) ghostFree(ctx context.Context) (since time.Duration, sure bool) {
	n, known := s.ghosts(ctx)
	if !known || n > 0 {
		s.ghostless = nil
		return 0, false
	}
	now := s.Clients.Now()
	if s.ghostless == nil {
		s.ghostless = &now
	}
	return *s.ghostless, now-*s.ghostless > 2*s.Tick
}

// awaitNoGhosts waits until the nodes hold nothing but sessions, at most for bound.
func (s *Stage) awaitNoGhosts(ctx context.Context, bound time.Duration) error {
	if len(s.Servers.Nodes) == 0 {
		return nil
	}
	s.ghostless = nil
	all, err := s.until(ctx, bound, func() bool {
		_, sure := s.ghostFree(ctx)
		return sure
	})
	if n, known := s.ghosts(ctx); err == nil && !all && known && n > 0 {
		s.Say("the nodes still hold %d connections that nobody has", n)
	}
	return err
}
