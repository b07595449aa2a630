package server

import "github.com/stormwheel/stormwheel/internal/reactor"

// Do calls do on the session's loop with the session, as a handler is called: it must not block, the
// session is of use until it returns, and a panic closes that session alone. It comes behind what the
// same goroutine has posted for the session before. If the session ends first it is not called, which
// counts in Stats.Stale. Do does not wait for it. The errors: see Posts
// in the package's doc.
func (s *Server) Do(to Ref, do func(*Session)) error {
	return s.call(to, func(l *loop, slot reactor.Slot) { l.app.do(slot, do) })
}

// do is a callback of a session that Server.Do was given.
func (a *application) do(slot reactor.Slot, do func(*Session)) {
	v, returned := a.show(slot), false
	defer a.called(v, &returned)
	do(v)
	returned = true
}
