package server

import (
	"log/slog"
	"math"
	"time"
)

// tick runs on the engine's ticker goroutine, first as soon as every loop listens.
func (s *Server) tick() (delay time.Duration) {
	if !s.isReady() {
		close(s.ready)
		s.cfg.Logger.Info("listening", slog.String("addr", s.addr), slog.String("node", s.Node()),
			slog.Int("loops", s.cfg.Loops), slog.Int64("max_conns", s.shared.gate.max))
	}
	s.shared.memory.sample(time.Since(s.base), s.cfg.Logger)
	s.shared.addrs.tidy(time.Since(s.base))
	s.shared.ids.tidy(time.Since(s.base))
	s.shared.seals.tidy(time.Since(s.base))
	s.watchLoad(time.Since(s.base))
	s.setWindow()
	s.askAll()
	// Just after the wheels' next tick begins: a turn at any other phase would add up to a
	// tick to every eviction.
	return s.cfg.Tick - time.Since(s.base)%s.cfg.Tick
}

// setWindow computes how long this node's clients should spread their return if it died
// now: as long as the nodes that would take them need, plus a twentieth. Where those are not
// known they are like this one, and as slow as it is.
func (s *Server) setWindow() {
	if s.stopping.Load() {
		return // those who have left come back with those who are about to
	}
	s.shared.returnRate.Store(math.Float64bits(s.failoverRate()))
	s.shared.window.Store(int64(s.shared.windowFor(s.cfg.MaxWindow)))
}

// windowFor is the reconnect window of the connections that there are now, at most limit. Any
// goroutine may ask.
func (sh *shared) windowFor(limit time.Duration) time.Duration {
	seconds := float64(sh.gate.conns.Load()) / math.Float64frombits(sh.returnRate.Load()) * 1.05
	return time.Duration(min(seconds*float64(time.Second), float64(limit)))
}

// failoverRate is that of the nodes that would take over this one's clients. It is the
// ticker's.
func (s *Server) failoverRate() float64 {
	if s.alike {
		return s.shared.load.steady
	}
	return s.cfg.FailoverRate
}

// askAll has every loop run a turn.
func (s *Server) askAll() {
	for _, l := range *s.loops.Load() {
		l.ask()
	}
}
