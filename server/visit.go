package server

import (
	"context"

	"github.com/stormwheel/stormwheel/internal/reactor"
)

// Sessions calls visit for up to limit sessions of the node that come behind after, one at a time, in an
// order of the node's own; the zero Ref begins. last is the one that was visited last, which is after for
// the next page, and more says whether there is one. A page begins where the last one ended though its
// last session may have ended meanwhile; sessions that come and go between two pages are on one or on
// none, and who is there during the whole walk is on one.
//
// It waits for the loops: not to be called from a handler, or from visit. visit runs on the sessions'
// loops and must not block; it may use the Session, but not keep it. Errors: ctx's, ErrClosed (the node has
// ended), ErrNode (after is of another node, or of an earlier run of this one), and ErrVisit. With one of
// the first two a visit that has begun may still run; with any of them some may have been visited behind last.
func (s *Server) Sessions(ctx context.Context, after Ref, limit int, visit func(*Session)) (last Ref, more bool, err error) {
	first, from := 0, reactor.Slot(0)
	if !after.IsZero() {
		if after.epoch != s.node.Epoch {
			return last, false, ErrNode
		}
		first, from = int(after.handle>>56), reactor.SlotOf(after.handle)+1
	}
	last = after
	loops := *s.loops.Load()
	for i := first; i < len(loops) && !more; i, from = i+1, 0 {
		p := sessionPage{last: last, left: limit, visit: visit}
		if err := s.round(ctx, loops[i], from, p.look); err != nil {
			return last, false, err
		}
		last, limit, more = p.last, p.left, p.more
	}
	return last, more, nil
}

// sessionPage is the part of a page that one loop fills. Owned by the loop until its round has ended.
type sessionPage struct {
	last  Ref
	left  int // places
	more  bool
	visit func(*Session)
}

func (p *sessionPage) look(a *application, slot reactor.Slot) (on bool, err error) {
	if p.left <= 0 {
		p.more = true
		return false, nil
	}
	p.left--
	p.last = a.ref(a.r.Handle(slot))
	_, err = a.visit(slot, func(s *Session) bool { p.visit(s); return true })
	return err == nil, err
}

// Visit is Do for who wants to know that it was done: it calls visit on the session's loop, waits until it
// has returned, and is ErrClosed if the session ended first. Not to be called from a handler. A panic costs
// the session nothing. Errors: those of Do but ErrBusy, ctx's, and ErrVisit; with ctx's the visit may still
// come.
func (s *Server) Visit(ctx context.Context, to Ref, visit func(*Session)) error {
	l, err := s.loopFor(to)
	if err != nil {
		return err
	}
	found := false
	err = s.round(ctx, l, reactor.SlotOf(to.handle), func(a *application, slot reactor.Slot) (bool, error) {
		if found = a.r.Handle(slot) == to.handle; !found {
			return false, nil
		}
		_, err := a.visit(slot, func(s *Session) bool { visit(s); return true })
		return false, err
	})
	if err == nil && !found {
		return ErrClosed
	}
	return err
}

// round looks at the sessions of a loop from a slot on, a few a turn, and returns when look does not want
// to go on or there are no more.
func (s *Server) round(ctx context.Context, l *loop, from reactor.Slot, look func(*application, reactor.Slot) (on bool, err error)) error {
	done := make(chan error, 1)
	err := l.reactor.Mailbox().OnLoop(func(r *reactor.Reactor) {
		var failed error
		r.BeginRound(&reactor.Round{Next: from, Foreign: true, Visit: func(slot reactor.Slot) (_ []byte, on bool) {
			if ctx.Err() != nil {
				return nil, false
			}
			on, failed = look(l.app, slot)
			return nil, on
		}, Done: func() { done <- failed }})
	})
	if err != nil {
		return err
	}
	l.ask()
	select {
	case err := <-done:
		if ctx.Err() != nil {
			return ctx.Err() // it may have ended early
		}
		return err
	case <-ctx.Done():
		return ctx.Err()
	case <-s.done:
		return ErrClosed
	}
}
