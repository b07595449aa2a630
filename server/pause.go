package server

import "github.com/stormwheel/stormwheel/internal/reactor"

// PauseRead has Handler.Message called no more for this session until ResumeRead, from the next
// message on, though it came in the same read. All else goes on: the client is read, its heartbeats
// are answered, its answers settle what was sent to it, it leaves by BYE, and it is evicted, drained
// and closed as any. Its messages wait in the node, in their order: as many as WELCOME lets it have
// unsettled, 256 and Config.UnsettledBytes (or what AuthGrant.Limits says), which is charged to
// Config.MaxQueuedTotal. A client that sends more, against what it was told, or messages that want no
// answer (number 0), ends with "rate limit". What waits when the session ends is dropped: nobody has
// taken it, and the client sends it again over its next connection.
//
// To call it twice is to call it once. It does not block. The error is ErrOutside or ErrClosed.
func (s *Session) PauseRead() error {
	slot, err := s.enter()
	if err != nil {
		return err
	}
	defer s.leave()
	return s.app.r.PauseRead(slot)
}

// ResumeRead ends a pause: what waits is handled in its order, soon after the callback, within the
// time that a loop has for such, and what comes meanwhile behind it. The handler may pause again in
// the middle. Of a session that is not paused it is nothing. The error is ErrOutside or ErrClosed.
func (s *Session) ResumeRead() error {
	slot, err := s.enter()
	if err != nil {
		return err
	}
	defer s.leave()
	defer s.app.ask()
	return s.app.r.ResumeRead(slot)
}

// PauseRead is Session.PauseRead from any goroutine. What the loop reads before it comes to it is
// handled. The errors: see Posts in the package's doc.
func (s *Server) PauseRead(to Ref) error {
	return s.call(to, func(l *loop, slot reactor.Slot) { _ = l.reactor.PauseRead(slot) })
}

// ResumeRead is Session.ResumeRead from any goroutine. Errors are as of PauseRead; with ErrBusy the
// session is still paused, and whoever resumes tries again.
func (s *Server) ResumeRead(to Ref) error {
	return s.call(to, func(l *loop, slot reactor.Slot) { _ = l.reactor.ResumeRead(slot) })
}
