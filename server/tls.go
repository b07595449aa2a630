package server

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/stormwheel/stormwheel/internal/reactor"
	"github.com/stormwheel/stormwheel/internal/transport/handshake"
)

// setTLS prepares the handshakes of a node that has TLS.
func (s *Server) setTLS() (err error) {
	if s.cfg.TLS == nil {
		return nil
	}
	if s.tls, err = handshake.NewConfig(s.cfg.TLS, s.cfg.ClusterSecrets...); err != nil {
		return fmt.Errorf("server: TLS: %w", err)
	}
	s.away.mayBegin = s.tls.MayBegin
	return nil
}

// logTLSPanic tells of a handshake that a callback of Config.TLS has ended by a panic, as the ends of other
// callbacks are told: seldom.
func (s *Server) logTLSPanic(err error) {
	if !errors.Is(err, handshake.ErrPanic) {
		return
	}
	if n, log := s.tlsPanics.note(time.Now()); log {
		s.cfg.Logger.Error("a callback of TLS panicked", slog.Any("err", err), slog.Uint64("panics", n))
	}
}

// tlsState is what the handshake of a connection told, the first time that it is asked for.
func (l *loop) tlsState(slot reactor.Slot) *tls.ConnectionState {
	if l.staged == nil || l.staged.tls == nil {
		return nil
	}
	return l.staged.tls.State(uint32(slot))
}

// tlsStats are the handshakes' part of Stats.
func (s *Server) tlsStats(st *Stats) {
	if s.tls == nil {
		return
	}
	c := s.tls.Counters()
	st.TLSFull, st.TLSResumed, st.TLSFailed, st.TLSGivenUp = c.Full, c.Resumed, c.Failed, c.GivenUp
	st.TLSWaiting, st.TLSQueued = c.Waiting, s.away.waiting()
	if !c.Expires.IsZero() {
		st.TLSExpiry = time.Until(c.Expires).Truncate(time.Second)
	}
}
