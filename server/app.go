package server

import (
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/stormwheel/stormwheel/internal/reactor"
)

// application is what a reactor knows of the handler: its callbacks, each behind its own recover,
// so that a panic costs its session only, and the sessions as it sees them. Owned by the loop.
type application struct {
	handler *Handler
	node    string
	epoch   uint64
	r       *reactor.Reactor
	views   views
	log     *slog.Logger
	panics  seldom
	wall    func() time.Time
	live    func(handle uint64) bool
	keeps   bool // somebody else than a handler may ask who a session is: the roster, or what was granted to it

	alternates []string                     // Config.Alternates
	carrier    func(reactor.Slot) Transport // what carries a session
	peer       func(reactor.Slot) *Peer     // who is at the other end of a unix socket; nil: it is none
	ask        func()                       // has the loop run a turn
	exited     func()                       // called when a handler has ended the loop's goroutine
	refused    func(why Reason)             // told of a connection for which there was no room
}

// ref names a session of this node.
func (a *application) ref(handle uint64) Ref { return Ref{a.node, a.epoch, handle} }

// Greeted makes the view of a session that is about to begin, if anybody will see it.
func (a *application) Greeted(slot reactor.Slot, from reactor.Origin) {
	if h := a.handler; h.Opened == nil && h.Message == nil && h.Missed == nil && h.Closed == nil && !a.keeps {
		return
	}
	a.views.put(slot, &Session{app: a, handle: a.r.Handle(slot), incarnation: from.Incarnation, attempt: from.Attempt})
}

// Origin reads it from the view.
func (a *application) Origin(slot reactor.Slot) (from reactor.Origin) {
	if v := a.views.at(slot); v != nil {
		from = reactor.Origin{Incarnation: v.incarnation, Attempt: v.attempt}
	}
	return from
}

// Granted keeps what the authenticator has said.
func (a *application) Granted(slot reactor.Slot, grant any) {
	if v := a.views.at(slot); v != nil {
		if g, ok := grant.(AuthGrant); ok {
			v.user, v.data = g.User, g.Data
		}
	}
}

// Stamp has the handler number the login.
func (a *application) Stamp(slot reactor.Slot, after uint64) (stamp uint64) {
	if a.handler.Stamp == nil {
		return 0
	}
	v, returned := a.show(slot), false
	defer a.called(v, &returned)
	v.stamp = a.handler.Stamp(after)
	returned = true
	return v.stamp
}

// Opened calls the handler.
func (a *application) Opened(slot reactor.Slot) {
	v := a.views.at(slot)
	if v != nil {
		v.since = a.wall().UnixNano()
	}
	if a.handler.Opened == nil {
		return
	}
	v, returned := a.show(slot), false
	defer a.called(v, &returned)
	a.handler.Opened(v)
	returned = true
}

// Message calls the handler.
func (a *application) Message(slot reactor.Slot, number uint64, body []byte, wantsReply bool) {
	if a.handler.Message == nil {
		return
	}
	v, returned := a.show(slot), false
	defer a.called(v, &returned)
	a.handler.Message(v, Message{Number: number, Body: body, WantsReply: wantsReply})
	returned = true
}

// Settled calls the function that waits. Its session is of use meanwhile, if the client's answer
// or the session's end is the cause.
func (a *application) Settled(o reactor.Outcome, w reactor.Waiter) {
	settled, told := waits(w, a.outcomeOf(&o))
	returned := false
	v := a.views.at(reactor.SlotOf(o.Handle))
	if v == nil || v.handle != o.Handle || o.Result == reactor.Unsent {
		v = nil
		defer a.calledOutside(told, &returned)
	} else {
		v.use.Store(useOpen)
		defer a.called(v, &returned)
	}
	settled(told)
	returned = true
}

// Missed calls the handler.
func (a *application) Missed(slot reactor.Slot, group string, messages int) {
	if a.handler.Missed == nil {
		return
	}
	v, returned := a.show(slot), false
	defer a.called(v, &returned)
	a.handler.Missed(v, group, messages)
	returned = true
}

// Closed calls the handler.
func (a *application) Closed(slot reactor.Slot, why reactor.Reason) {
	if a.handler.Closed == nil {
		return
	}
	v, returned := a.show(slot), false
	defer a.called(v, &returned)
	a.handler.Closed(v, Reason(why))
	returned = true
}

// Gone forgets the view.
func (a *application) Gone(slot reactor.Slot) {
	if v := a.views.at(slot); v != nil && v.stamp != 0 && v.since == 0 && a.handler.Unstamp != nil {
		a.handler.Unstamp(v.stamp)
	}
	a.views.drop(slot)
}

// Refused has it logged.
func (a *application) Refused(why reactor.Reason) { a.refused(Reason(why)) }

// show returns a session's view for a callback. Without a handler it is made when something else
// looks at the session, and does not know the client's incarnation.
func (a *application) show(slot reactor.Slot) *Session {
	v := a.views.at(slot)
	if v == nil {
		v = &Session{app: a, handle: a.r.Handle(slot)}
		a.views.put(slot, v)
	}
	v.use.Store(useOpen)
	return v
}

// ErrGoexit is returned by Wait and Run when a handler called runtime.Goexit, as testing.T's
// FailNow does: it ends the goroutine of its event loop, and nothing can begin that anew.
var ErrGoexit = errors.New("server: a handler called runtime.Goexit, which ends its event loop")

// called ends a callback. It turns a handler's panic into the end of one session, which is
// logged once a minute, and has a node end whose loop a handler has ended.
func (a *application) called(v *Session, returned *bool) {
	v.finish(useNone)
	if !*returned && a.failed(recover(), v.Ref()) {
		a.r.Panicked()
	}
}

// calledOutside ends a call that no callback of a session is. A panic costs the session that has
// answered, if one has.
func (a *application) calledOutside(o Outcome, returned *bool) {
	if *returned || !a.failed(recover(), o.Session) {
		return
	}
	if o.Result == Acknowledged || o.Result == Refused || o.Result == Replied {
		a.r.Panicked()
	} else {
		a.r.Counters().Panics++
	}
}

// visit calls what looks at every session. A panic is the visitor's, so it costs no session.
func (a *application) visit(slot reactor.Slot, look func(*Session) bool) (yes bool, err error) {
	v, returned := a.show(slot), false
	defer func() {
		v.finish(useNone)
		if returned {
			return
		}
		p := recover()
		if err = fmt.Errorf("%w: %v", ErrVisit, p); a.failed(p, v.Ref()) {
			a.r.Counters().Panics++
		}
	}()
	yes = look(v)
	returned = true
	return yes, nil
}

// ErrVisit is returned by Each, Sessions and Visit when a visit panicked.
var ErrVisit = errors.New("server: a visit panicked")

// failed logs why a handler did not return, and says whether the loop goes on.
func (a *application) failed(p any, session Ref) (on bool) {
	if p == nil {
		a.log.Error("handler called runtime.Goexit; the node ends", slog.String("session", session.String()))
		a.exited()
		return false
	}
	if n, log := a.panics.note(a.wall()); log {
		a.log.Error("handler panicked", slog.Any("panic", p),
			slog.String("session", session.String()), slog.Uint64("panics", n), slog.String("stack", string(debug.Stack())))
	}
	return true
}

const (
	viewChunkBits = 10
	viewChunk     = 1 << viewChunkBits
)

// views are the sessions' views, made once for each session that a handler may see: kept ones
// must not become another's. Owned by the loop.
type views []*[viewChunk]*Session

// at returns the view of a slot, or nil.
func (t views) at(slot reactor.Slot) *Session {
	if i := int(slot >> viewChunkBits); i < len(t) && t[i] != nil {
		return t[i][slot&(viewChunk-1)]
	}
	return nil
}

func (t *views) put(slot reactor.Slot, v *Session) {
	i := int(slot >> viewChunkBits)
	for i >= len(*t) {
		*t = append(*t, nil)
	}
	if (*t)[i] == nil {
		(*t)[i] = new([viewChunk]*Session)
	}
	(*t)[i][slot&(viewChunk-1)] = v
}

// drop forgets the view of a session that has ended.
func (t views) drop(slot reactor.Slot) {
	if v := t.at(slot); v != nil {
		v.finish(useEnded)
		t[slot>>viewChunkBits][slot&(viewChunk-1)] = nil
	}
}
