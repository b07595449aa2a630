package server

import (
	"context"
	"log/slog"
	"time"
)

const (
	// drainLinger is how long after the last session was told to go a drain waits for
	// those that have not gone: time for a client's connect, its HELLO, and another try.
	drainLinger = 15 * time.Second
	drainPoll   = 10 * time.Millisecond
)

// Drain hands the node's clients over to other nodes and ends the engine. New connections
// are sent away with the alternates from the start; the present sessions are told to go
// after Config.DrainGrace, at Config.FailoverRate a second or faster if that would take
// longer than Config.DrainWindow. A client that was told is served like any other until it
// has connected elsewhere and says BYE; whoever is still here 15 s after the last was told
// gets Stop. A node without alternates moves nobody, since there is nowhere to go: after
// the grace it stops, and its clients come back to it, or to who takes its address, over
// the reconnect window. When ctx ends, the engine is stopped at once. A node without connections ends
// at once too.
func (s *Server) Drain(ctx context.Context) error {
	if running, err := s.awaitStart(); !running {
		return err
	}
	s.node.Drain.Begin()
	began := s.now()
	cfg := &s.tuned.Load().cfg
	s.cfg.Logger.Info("draining", slog.Duration("grace", cfg.DrainGrace),
		slog.Int64("conns", s.node.Conns.Open()), slog.Int("alternates", len(cfg.Alternates)))
	poll := time.NewTicker(drainPoll)
	defer poll.Stop()
	logged, allTold := began, time.Duration(0)
	st := s.Stats()
	before := st.Moved // to balance nodes, or by the application
	for ; (s.open() > 0 || st.Sessions > 0) && ctx.Err() == nil; st = s.Stats() {
		now := s.now()
		cfg = &s.tuned.Load().cfg // it may change meanwhile
		from := began + max(0, cfg.DrainGrace)
		if now >= from && len(cfg.Alternates) == 0 {
			break
		}
		if now >= from {
			untold := st.Sessions - st.Draining
			s.node.Drain.SetPace(cfg.FailoverRate, untold, from+cfg.DrainWindow-now)
			if untold > 0 {
				allTold = 0
			} else if allTold == 0 {
				allTold = now
			} else if now-allTold >= drainLinger {
				break
			}
		}
		if now-logged >= time.Second {
			logged = now
			s.cfg.Logger.Info("draining", slog.Int64("left", st.Sessions), slog.Int64("told", st.Draining),
				slog.Uint64("moved", st.Moved-before))
		}
		select {
		case <-s.done:
			return s.err
		case <-ctx.Done():
		case <-poll.C:
			s.askAll()
		}
	}
	s.cfg.Logger.Info("drained", slog.Uint64("moved", st.Moved-before), slog.Int64("left", st.Sessions),
		slog.Duration("took", s.now()-began))
	stop, cancel := context.WithTimeout(ctx, stopTime)
	defer cancel()
	return s.Stop(stop)
}

func (s *Server) now() time.Duration { return time.Since(s.base) }
