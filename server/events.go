package server

import (
	"errors"
	"io"
	"log/slog"
	"syscall"
	"time"

	"github.com/panjf2000/gnet/v2"

	"github.com/stormwheel/stormwheel/internal/reactor"
)

// events is gnet's event handler.
type events struct {
	gnet.BuiltinEventEngine
	srv *Server
}

func (e *events) OnBoot(engine gnet.Engine) gnet.Action {
	e.srv.engine = engine
	e.srv.boundQueues() // whoever has waited for the node comes the moment that it listens; the other loops' listeners follow (tick)
	return gnet.None
}

// serveUnix has the unix sockets accept; the loops run.
func (s *Server) serveUnix() {
	if e, ok := s.engine.(gnet.Engine); ok {
		s.unix.serve(e)
	}
}

func (e *events) OnOpen(c gnet.Conn) ([]byte, gnet.Action) {
	if b, own := c.Context().(*bell); own {
		b.opened(c)
		return nil, gnet.None
	}
	l, err := e.srv.loopUnder(c)
	if err != nil {
		e.srv.cfg.Logger.Error("no reactor for an event loop", slog.Any("err", err))
		return nil, gnet.Close
	}
	by, _ := c.Context().(*arrival)
	l.accept(c, by)
	return nil, gnet.None
}

func (e *events) OnTraffic(c gnet.Conn) gnet.Action {
	s, ok := c.Context().(*reactor.Session)
	if !ok {
		if b, own := c.Context().(*bell); own {
			b.rung(c)
			return gnet.None
		}
		return gnet.Close
	}
	return e.srv.loopOf(s).traffic(c, s)
}

func (e *events) OnClose(c gnet.Conn, err error) gnet.Action {
	if b, own := c.Context().(*bell); own {
		b.closed()
	}
	s, ok := c.Context().(*reactor.Session)
	if !ok || s.Free() {
		return gnet.None // it was never taken in, or its end is known
	}
	if l, slot := e.srv.loopOf(s), s.Slot(); *l.entry(slot) == c {
		l.closed(slot, err)
	}
	return gnet.None
}

// OnTick runs on one goroutine of the engine, off every loop. Zero would make it spin.
func (e *events) OnTick() (time.Duration, gnet.Action) { return e.srv.tick(), gnet.None }

// reasonForError reads gnet's explanation. It is nil when our side closed: the reactor
// then knows better, and otherwise the engine is stopping.
func reasonForError(err error) reactor.Reason {
	switch {
	case err == nil:
		return reactor.ReasonShutdown
	case errors.Is(err, io.EOF):
		return reactor.ReasonPeerClosed
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return reactor.ReasonPeerReset
	default:
		return reactor.ReasonIOError
	}
}
