package server

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/stormwheel/stormwheel/internal/reactor"
	"github.com/stormwheel/stormwheel/internal/transport"
	"github.com/stormwheel/stormwheel/internal/transport/handshake"
)

// setTLS prepares the handshakes of a node that has TLS.
func (s *Server) setTLS() error {
	numbers := make(map[*tls.Config]int) // of those that the handshakes have
	for _, l := range s.cfg.secured() {
		if _, known := numbers[l.TLS]; known {
			continue
		}
		if err := s.addTLS(l.TLS, numbers); err != nil {
			if l.TLS != s.cfg.TLS {
				return fmt.Errorf("server: TLS of the listener %s: %w", l.Addr, err)
			}
			return fmt.Errorf("server: TLS: %w", err)
		}
	}
	if s.tls == nil {
		return nil
	}
	for _, l := range s.cfg.listeners() {
		s.terms = append(s.terms, numbers[l.TLS])
	}
	s.tls.AllowTLS12(s.cfg.MaxTLS12)
	s.away.mayBegin = s.tls.MayBegin
	s.away.setRate(s.cfg.HandshakeRate, false)
	return nil
}

func (s *Server) addTLS(c *tls.Config, numbers map[*tls.Config]int) (err error) {
	if s.tls == nil { // the node's own is number 0 on all nodes, or nobody is
		numbers[s.cfg.TLS] = 0
		if s.tls, err = handshake.NewConfig(s.cfg.TLS, s.cfg.ClusterSecrets...); err != nil || c == s.cfg.TLS {
			return err
		}
	}
	numbers[c], err = s.tls.Add(c)
	return err
}

// secured are the listeners that have TLS, those of Config.TLS first: that is the same configuration on
// all nodes, whatever listeners they have.
func (c *Config) secured() (all []Listener) {
	for _, l := range c.listeners() {
		switch {
		case !slices.ContainsFunc(l.Transports, isSecure):
		case l.TLS == c.TLS:
			all = slices.Insert(all, 0, l)
		default:
			all = append(all, l)
		}
	}
	return all
}

// tlsPeer is what handshakes are told of a connection.
func (t *staged) tlsPeer(slot transport.Slot) handshake.Peer {
	return handshake.Peer{Addr: t.l.RemoteAddr(reactor.Slot(slot)), Terms: t.l.srv.terms[t.entry.Listener(slot)]}
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
	st.TLS12 = c.Older
	st.TLSWaiting, st.TLSQueued = c.Waiting, s.away.waiting()
	if !c.Expires.IsZero() {
		st.TLSExpiry = time.Until(c.Expires).Truncate(time.Second)
	}
}
