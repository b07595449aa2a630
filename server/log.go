package server

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stormwheel/stormwheel/internal/gate"
)

// seldom lets the first of many events into the log, and then one a minute, and the first of each
// cause in that minute. Any goroutine may use it.
type seldom struct {
	mu     sync.Mutex
	count  uint64
	logged time.Time // when the minute began
	causes []string  // that the log has in this minute, at most maxCauses
}

// maxCauses bounds the lines a minute: the text of a cause may tell what a stranger wrote.
const maxCauses = 8

// note is noteCause of events that have one cause.
func (s *seldom) note(at time.Time) (count uint64, log bool) { return s.noteCause(at, "") }

// noteCause counts an event at the given time, and says whether it is to be logged.
func (s *seldom) noteCause(at time.Time, cause string) (count uint64, log bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.count++
	switch {
	case s.logged.IsZero() || at.Sub(s.logged) >= time.Minute:
		s.logged, s.causes = at, s.causes[:0]
	case len(s.causes) >= maxCauses || slices.Contains(s.causes, cause):
		return s.count, false
	}
	s.causes = append(s.causes, cause)
	return s.count, true
}

// refusals lets one line a second about them into the log. Any goroutine may use it.
type refusals struct {
	last atomic.Int64 // since the server's start
}

func (r *refusals) log(log *slog.Logger, c *gate.Conns, now time.Duration, why Reason) {
	last := r.last.Load()
	if last != 0 && int64(now)-last < int64(time.Second) || !r.last.CompareAndSwap(last, int64(now)) {
		return
	}
	log.Warn("connections are being refused: no room", slog.String("reason", why.String()),
		slog.Int64("conns", c.Open()), slog.Int64("max_conns", c.Max.Load()),
		slog.Int64("pending", c.Pending()), slog.Int64("max_pending", c.MaxPending.Load()),
		slog.Int("descriptor_limit", c.Descriptors))
}

func (s *Server) logRefusal(why Reason) {
	s.refusals.log(s.cfg.Logger, s.node.Conns, s.now(), why)
}

// rejects lets one line a second into the log, at debug, about connections that a transport has turned away.
// Any goroutine may use it.
type rejects struct {
	last   atomic.Int64 // since the server's start; 0: there was none
	silent atomic.Uint64
}

// logReject tells why a connection got no further than its transport.
func (s *Server) logReject(text string, addr netip.Addr, err error) {
	if !s.cfg.Logger.Enabled(context.Background(), slog.LevelDebug) {
		return
	}
	r, now := &s.rejects, int64(s.now())
	last := r.last.Load()
	if last != 0 && now-last < int64(time.Second) || !r.last.CompareAndSwap(last, now) {
		r.silent.Add(1)
		return
	}
	s.cfg.Logger.Debug(text, slog.Any("addr", addr), slog.Any("err", err), slog.Uint64("more", r.silent.Swap(0)))
}

// gnetLogger passes what gnet has to say to the node's logger. Its start line says no
// more than ours, so what gnet calls information is a matter for debugging here.
type gnetLogger struct{ log *slog.Logger }

func (g gnetLogger) Debugf(format string, args ...any) {
	g.log.Debug(fmt.Sprintf("gnet: "+format, args...))
}

func (g gnetLogger) Infof(format string, args ...any) {
	g.log.Debug(fmt.Sprintf("gnet: "+format, args...))
}

func (g gnetLogger) Warnf(format string, args ...any) {
	g.log.Warn(fmt.Sprintf("gnet: "+format, args...))
}

func (g gnetLogger) Errorf(format string, args ...any) {
	g.log.Error(fmt.Sprintf("gnet: "+format, args...))
}

func (g gnetLogger) Fatalf(format string, args ...any) {
	g.log.Error(fmt.Sprintf("gnet: "+format, args...))
}
