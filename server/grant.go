package server

import (
	"time"

	"github.com/stormwheel/stormwheel/internal/reactor"
)

// Extend has the session end at expires, as it does when its grant ends: with "token expired", after
// which the client asks its token source and returns. That may be later than before, or earlier; a
// time that has passed ends it within a tick or so, and zero means that it has no end. It takes
// the place of AuthGrant.Expires, and a token by which the client renews takes the place of it: the
// last word counts. The client is told behind what the callback has written so far, so that it
// renews in time. It does not block. The error is ErrOutside or ErrClosed.
func (s *Session) Extend(expires time.Time) error {
	slot, err := s.enter()
	if err != nil {
		return err
	}
	defer s.leave()
	return s.app.r.Extend(slot, expires)
}

// Extend is Session.Extend from any goroutine. The errors: see Posts in the package's doc.
func (s *Server) Extend(to Ref, expires time.Time) error {
	return s.call(to, func(l *loop, slot reactor.Slot) { _ = l.reactor.Extend(slot, expires) })
}

// call has the loop of a session do something with it.
func (s *Server) call(to Ref, f func(*loop, reactor.Slot)) error {
	l, err := s.loopFor(to)
	if err != nil {
		return err
	}
	if err := l.reactor.Mailbox().Call(to.handle, func(slot reactor.Slot) { f(l, slot) }); err != nil {
		return err
	}
	l.ask()
	return nil
}
