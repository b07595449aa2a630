package server

import (
	"context"
	"slices"
	"sync/atomic"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/reactor"
)

// Groups are sets of this node's sessions that something is published to. A name makes one: a group
// is there as long as it has a member. A membership takes about 8 bytes and ends with its session;
// a session that comes back joins anew, in Handler.Opened for instance.

const (
	// MaxGroupName is the longest name of a group, in bytes.
	MaxGroupName = 255
	// MaxGroups is how many groups a session may be in: 4,094.
	MaxGroups = reactor.MaxGroups
)

func checkGroup(name string) error {
	if name == "" || len(name) > MaxGroupName {
		return ErrGroup
	}
	return nil
}

// Join makes the session a member of a group: it gets what is published there from now on. To be a
// member already is no error. Others: ErrGroup, ErrGroups (MaxGroups), ErrOutside, ErrClosed.
func (s *Session) Join(group string) error {
	if err := checkGroup(group); err != nil {
		return err
	}
	slot, err := s.enter()
	if err != nil {
		return err
	}
	defer s.leave()
	return s.app.r.JoinGroup(slot, group)
}

// Leave ends the session's membership. It gets nothing of what is still on its way to the group. To
// be no member is no error. Others: ErrGroup, ErrOutside, ErrClosed.
func (s *Session) Leave(group string) error {
	if err := checkGroup(group); err != nil {
		return err
	}
	slot, err := s.enter()
	if err != nil {
		return err
	}
	defer s.leave()
	s.app.r.LeaveGroup(slot, group)
	return nil
}

// Groups returns the names of the groups that the session is in, in no order.
func (s *Session) Groups() (names []string) {
	if slot, err := s.enter(); err == nil {
		defer s.leave()
		names = s.app.r.GroupsOf(slot)
	}
	return names
}

// Join is Session.Join from any goroutine. What the same goroutine publishes afterwards reaches the
// session. One that is in MaxGroups joins no other: then nothing happens. The errors: see Posts in
// the package's doc; and ErrGroup.
func (s *Server) Join(to Ref, group string) error {
	return s.member(to, group, true)
}

// Leave is Session.Leave from any goroutine. What the same goroutine has published before reaches the
// session. The errors are those of Join.
func (s *Server) Leave(to Ref, group string) error {
	return s.member(to, group, false)
}

func (s *Server) member(to Ref, group string, join bool) error {
	if err := checkGroup(group); err != nil {
		return err
	}
	return s.post(to, func(m *reactor.Mailbox) error { return m.Member(to.handle, group, join) })
}

// Publish sends body to all members of a group, from any goroutine: to who is one when the loops
// come to it. It asks for no answer, as Deliver does. The body is copied once, not once a member, and
// messages that wait for a member leave in one Write. A member that is slow, with more than
// Config.SoftQueued before it, gets nothing of it and holds up nobody: Handler.Missed. What one
// goroutine publishes to one group arrives in that order, and behind what it has delivered to the member
// before. What it asks of a member afterwards by the Server's methods, a Deliver, Leave or Close, comes
// behind it, unless the member does not read as fast as that; what a callback does with its Session is done
// at once. To several groups, and with Broadcast, each goes its own way: who is in both may get the later first.
//
// It does not block. Errors: ErrGroup, ErrTooBig, ErrClosed (the node stops), and ErrBusy: 16 MiB
// or 16,384 publications have not come to all loops yet. Nobody gets a message that is refused.
func (s *Server) Publish(group string, body []byte) error {
	if err := checkGroup(group); err != nil {
		return err
	}
	if err := s.fits(body); err != nil {
		return err
	}
	frame := codec.AppendDeliver(make([]byte, 0, len(body)+8+codec.Overhead), 0, body)
	return s.toAllLoops(len(frame), func(r *reactor.Reactor, _ *application, came func()) {
		came()
		r.Publish(group, frame)
	})
}

// Broadcast sends body to all sessions of the node that filter says yes to, or to all if it is nil,
// as Publish does. filter runs on the sessions' loops and must not block; it may use the Session, but
// not keep it. A filter that panics ends the broadcast on its loop, and costs no session. Sessions
// that begin meanwhile may get the message or not; who is slow does not, and is not told so. It takes room
// as a publication does, until all have been visited. Who sends to all again and again has them join a
// group, which is faster.
func (s *Server) Broadcast(body []byte, filter func(*Session) bool) error {
	if err := s.fits(body); err != nil {
		return err
	}
	frame := codec.AppendDeliver(make([]byte, 0, len(body)+8+codec.Overhead), 0, body)
	return s.toAllLoops(len(frame), func(r *reactor.Reactor, a *application, came func()) {
		w := &reactor.Round{Visit: func(reactor.Slot) ([]byte, bool) { return frame, true }, Done: came, Ordered: true}
		if filter != nil {
			w.Foreign, w.Visit = true, func(slot reactor.Slot) (out []byte, on bool) {
				yes, err := a.visit(slot, filter)
				if !yes {
					return nil, err == nil
				}
				return frame, err == nil
			}
		}
		r.BeginRound(w)
	})
}

// Except is a filter for Broadcast: all sessions but these. A handler tells all others by Except(s.Ref()).
func Except(refs ...Ref) func(*Session) bool {
	refs = slices.Clone(refs)
	return func(s *Session) bool { return !slices.Contains(refs, s.Ref()) }
}

// toAllLoops has something of size bytes done on every loop, or on none. Each calls came once, when it
// does not wait for room there any more.
func (s *Server) toAllLoops(size int, do func(r *reactor.Reactor, a *application, came func())) error {
	if s.node.Stopping.Load() {
		return ErrClosed
	}
	loops := *s.loops.Load()
	if len(loops) == 0 {
		return nil // nobody has come yet
	}
	if !s.node.Bulk.Enter(size) {
		return ErrBusy
	}
	left := new(atomic.Int32)
	left.Store(int32(len(loops)))
	came := func() {
		if left.Add(-1) == 0 {
			s.node.Bulk.Leave(size)
		}
	}
	for _, l := range loops {
		if l.reactor.Mailbox().OnLoop(func(r *reactor.Reactor) { do(r, l.app, came) }) != nil {
			came() // the loop has ended
			continue
		}
		l.ask()
	}
	return nil
}

// Each calls visit for every session of the node, a few at a time between what the loops have to do
// otherwise, and returns when all have been visited. visit runs on the sessions' loops, on several at
// once, and must not block; it may use the Session, but not keep it. Sessions that begin meanwhile may
// be visited or not. It blocks: not to be called from a handler, or from visit. Errors: ctx's, ErrClosed
// (the node has ended), and a visit's panic, which ends the visits of its loop and costs no session. After
// one of the first two a visit that has begun may still run.
func (s *Server) Each(ctx context.Context, visit func(*Session)) error {
	loops := *s.loops.Load()
	done := make(chan error, len(loops))
	var over atomic.Bool
	for _, l := range loops {
		err := l.reactor.Mailbox().OnLoop(func(r *reactor.Reactor) {
			var failed error
			r.BeginRound(&reactor.Round{Foreign: true, Visit: func(slot reactor.Slot) (_ []byte, on bool) {
				if !over.Load() {
					_, failed = l.app.visit(slot, func(s *Session) bool { visit(s); return true })
				}
				return nil, failed == nil && !over.Load()
			}, Done: func() { done <- failed }})
		})
		if err != nil {
			done <- err
			continue
		}
		l.ask()
	}
	defer over.Store(true)
	var first error
	for range loops {
		select {
		case err := <-done:
			if first == nil {
				first = err
			}
		case <-ctx.Done():
			return ctx.Err()
		case <-s.done:
			return ErrClosed
		}
	}
	return first
}

// Members returns up to limit members of a group behind after, in an order of the node's own; the
// zero Ref begins. Fewer than limit are the last page. Members that come and go between two pages are
// on one or on none. It waits for the loops: not to be called from a handler. A Ref does not tell the
// client's id: who lists names asks Each, or keeps them by Ref from Opened to Closed. Errors: ErrGroup, ctx's,
// ErrClosed (the node has ended).
func (s *Server) Members(ctx context.Context, group string, after Ref, limit int) (page []Ref, err error) {
	if err := checkGroup(group); err != nil {
		return nil, err
	}
	first, from := 0, reactor.Slot(0)
	if !after.IsZero() {
		first, from = int(after.handle>>56), reactor.SlotOf(after.handle)+1
	}
	loops := *s.loops.Load()
	for i := first; i < len(loops); i, from = i+1, 0 {
		for m := (members{next: from, more: true}); m.more && len(page) < limit; {
			if m, err = s.membersOn(ctx, loops[i], group, m.next, min(limit-len(page), membersAtOnce)); err != nil {
				return nil, err
			}
			for _, h := range m.some {
				page = append(page, loops[i].app.ref(h))
			}
		}
	}
	return page, nil
}

// membersAtOnce is how many members a loop tells at once: some tens of microseconds.
const membersAtOnce = 1024

// members are some of a group on one loop, and where those behind them begin, if there are more.
type members struct {
	some []uint64
	next reactor.Slot
	more bool
}

func (s *Server) membersOn(ctx context.Context, l *loop, group string, from reactor.Slot, limit int) (m members, err error) {
	told := make(chan members, 1)
	if err := l.reactor.Mailbox().OnLoop(func(r *reactor.Reactor) {
		var m members
		m.some, m.next, m.more = r.Members(nil, group, from, limit)
		told <- m
	}); err != nil {
		return m, err
	}
	l.ask()
	select {
	case m = <-told:
		return m, nil
	case <-ctx.Done():
		return m, ctx.Err()
	case <-s.done:
		return m, ErrClosed
	}
}
