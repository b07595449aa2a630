package server

import (
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
		l.setBacklog(s.backlog(ld.Short(now), &l.meter))
	}
}

const (
	// minBacklog lets a loop that serves next to nobody find out that it can do more.
	minBacklog = 16
	// usualBacklog is what may wait for a loop of which nothing is known yet.
	usualBacklog = 1024
)

// backlog is how many connections may wait for a loop: under overload, what it takes out in
// about a second. Else what it took out in the last second, and a crowd at least: what the
// configured rate promises may be ten seconds' work, and its clients would all have gone when
// they are served.
func (s *Server) backlog(short bool, m *gate.Meter) int {
	if short {
		return int(min(max(m.Rate()*(2*gate.LongWait).Seconds(), minBacklog), maxBacklog))
	}
	return int(min(max(m.Rate(), usualBacklog), maxBacklog))
}

// maxBacklog is what gnet asks for where the system allows it; more is cut by the system.
const maxBacklog = 4096

// logOverload writes at most one line in ten seconds. It is the ticker's.
func (s *Server) logOverload(now time.Duration, sample gate.Sample) {
	if s.overloadLog != 0 && now-s.overloadLog < 10*time.Second {
		return
	}
	s.overloadLog = now
	s.cfg.Logger.Warn("overloaded: clients wait to be let in, fewer may wait",
		"waited", sample.Waited, "late", sample.Late, "pace", s.node.Load.Pace(), "admit_rate", s.cfg.AdmitRate)
}
