package server

import (
	"log/slog"
	"strings"
	"time"
)

// tick runs on the engine's ticker goroutine, first as soon as every loop listens.
func (s *Server) tick() (delay time.Duration) {
	first := !s.isReady()
	if first {
		s.boundQueues()
		s.serveUnix()
	}
	s.tuneGates(s.now())
	s.watchMemory(s.now())
	s.node.Tidy(s.now())
	s.watchLoad(s.now())
	s.setWindow()
	if first { // what the node is asked from now on has an answer
		s.cfg.Logger.Info("listening", slog.String("addr", strings.Join(s.addrs(), ",")), slog.String("node", string(s.node.Name)),
			slog.Int("loops", s.cfg.Loops), slog.Int64("max_conns", s.node.Conns.Max.Load()))
		close(s.ready)
	}
	s.askAll()
	// Just after the wheels' next tick begins: a turn at any other phase would add up to a
	// tick to every eviction.
	now := s.now()
	delay = s.cfg.Tick - now%s.cfg.Tick
	s.tickDue = now + delay
	return delay
}

// setWindow computes how long this node's clients should spread their return if it died
// now: as long as the nodes that would take them need, plus a twentieth. Where those are not
// known they are like this one, and as slow as it is.
func (s *Server) setWindow() {
	if s.node.Stopping.Load() {
		return // those who have left come back with those who are about to
	}
	s.node.Window.SetRate(s.failoverRate())
	s.node.Window.Set(s.node.WindowNow(s.gated.cfg.MaxWindow))
}

// failoverRate is that of the nodes that would take over this one's clients. It is the
// ticker's.
func (s *Server) failoverRate() float64 {
	if s.gated.alike {
		return s.node.Load.Steady()
	}
	return s.gated.cfg.FailoverRate
}

// askAll has every loop run a turn.
func (s *Server) askAll() {
	for _, l := range *s.loops.Load() {
		l.ask()
	}
}
