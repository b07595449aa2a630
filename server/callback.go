package server

import (
	"errors"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/timingwheel"
)

// The handler's callbacks, each behind its own recover: a panic costs its session only.

func (r *reactor) callOpened(slot timingwheel.ID) {
	v, returned := r.show(slot), false
	defer r.called(v, slot, &returned)
	r.cfg.Handler.Opened(v)
	returned = true
}

func (r *reactor) callMessage(slot timingwheel.ID, id uint64, body []byte) {
	v, returned := r.show(slot), false
	defer r.called(v, slot, &returned)
	r.cfg.Handler.Message(v, id, body)
	returned = true
}

func (r *reactor) callAcked(slot timingwheel.ID, id uint64) {
	v, returned := r.show(slot), false
	defer r.called(v, slot, &returned)
	r.cfg.Handler.Acked(v, id)
	returned = true
}

func (r *reactor) callClosed(slot timingwheel.ID, why Reason) {
	v, returned := r.show(slot), false
	defer r.called(v, slot, &returned)
	r.cfg.Handler.Closed(v, why)
	returned = true
}

const neverLogged time.Duration = -1

// ErrGoexit is returned by Wait and Run when a handler called runtime.Goexit, as testing.T's
// FailNow does: it ends the goroutine of its event loop, and nothing can begin that anew.
var ErrGoexit = errors.New("server: a handler called runtime.Goexit, which ends its event loop")

// called ends a callback. It turns a handler's panic into the end of one session, which is
// logged once a minute, and has a node end whose loop a handler has ended.
func (r *reactor) called(v *Session, slot timingwheel.ID, returned *bool) {
	v.finish(useNone)
	if *returned {
		return
	}
	p := recover()
	if p == nil {
		r.cfg.Logger.Error("handler called runtime.Goexit; the node ends", slog.String("session", r.sessionID(slot).String()))
		if r.exited != nil {
			r.exited()
		}
		return
	}
	r.counters.Panics++
	r.kick = codec.CodeInternal
	if r.panicLog == neverLogged || r.now-r.panicLog >= time.Minute {
		r.panicLog = r.now
		r.cfg.Logger.Error("handler panicked; its session is closed",
			slog.Any("panic", p), slog.String("session", r.sessionID(slot).String()),
			slog.Uint64("panics", r.counters.Panics), slog.String("stack", string(debug.Stack())))
	}
}
