package server

import (
	"log/slog"
	"runtime"
	"time"

	"github.com/stormwheel/stormwheel/internal/gate"
)

// watchLoad is the ticker's: it looks at all loops and sets the pace.
func (s *Server) watchLoad(now time.Duration) {
	ld := &s.node.Load
	if !ld.Due(now, s.cfg.Tick) {
		return // the loops keep their longest waits until then
	}
	var sample gate.Sample
	for _, l := range *s.loops.Load() {
		c := l.snapshot()
		taken := c.Knocks + c.Gone
		sample.Taken += taken
		sample.Waited = max(sample.Waited, time.Duration(l.waited.Swap(0)))
		sample.Late = max(sample.Late, l.lateness(now))
		l.meter.Observe(c.SnapshotAt, taken)
	}
	var checks *gate.Sample
	if s.auth != nil {
		c := s.auth.wait.sample(len(s.auth.jobs))
		checks = &c
	}
	seen, began := ld.Observe(now, sample, checks)
	if began {
		s.logOverload(now, seen)
	}
	s.node.Queue.SetRate(now, ld.SlotRate())
	if s.node.Stopping.Load() {
		return // the listeners may be gone
	}
	for _, l := range *s.loops.Load() {
		l.setBacklog(gate.Backlog(ld.Short(now), l.meter.Rate()))
	}
}

// logOverload writes at most one line in ten seconds. It is the ticker's.
func (s *Server) logOverload(now time.Duration, sample gate.Sample) {
	if s.overloadLog != 0 && now-s.overloadLog < 10*time.Second {
		return
	}
	s.overloadLog = now
	s.cfg.Logger.Warn("overloaded: clients wait to be let in, fewer may wait",
		"waited", sample.Waited, "late", sample.Late, "pace", s.node.Load.Pace(), "admit_rate", s.gated.cfg.AdmitRate)
}

// setBacklog has about n connections wait at the loop's listener at most. It is the ticker's.
func (l *loop) setBacklog(n int) {
	if l.listener < 0 || n == l.backlog || (n-l.backlog)*(n-l.backlog)*100 < n*n { // within a tenth
		return
	}
	if err := setListenBacklog(l.listener, n); err != nil {
		l.srv.cfg.Logger.Error("cannot bound the accept queue", slog.Any("err", err))
		l.listener = -1
		return
	}
	l.backlog = n
}

// listenerBeside is the listening socket of the event loop that has the connection fd, or -1.
func (s *Server) listenerBeside(fd int) int {
	if fd < 0 {
		return -1 // it is in memory
	}
	listener := findListener(fd)
	if listener < 0 && runtime.GOOS == "linux" {
		s.cfg.Logger.Warn("a loop's listener was not found: its accept queue stays long under overload")
	}
	return listener
}
