package server

import (
	"cmp"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/stormwheel/stormwheel/internal/gate"
	"github.com/stormwheel/stormwheel/internal/machine"
)

// setMemory finds the limits that follow from the memory that there is.
func (s *Server) setMemory() {
	m := &s.node.Memory
	s.collect = debug.FreeOSMemory
	switch limit := s.cfg.MemoryLimit; {
	case limit > 0:
		m.Limit, s.memory = limit, machine.Resident
	case limit == 0:
		m.Limit, s.memory = machine.Cgroup()
	}
	switch total := s.cfg.MaxQueuedTotal; {
	case total > 0:
		s.node.Budget.Max = total
	case total == 0:
		available := cmp.Or(m.Limit, machine.Memory(), assumedMemory)
		s.node.Budget.Max = max(available/4, int64(s.cfg.MaxQueued))
	}
}

// assumedMemory stands for the machine's where the system does not tell.
const assumedMemory = 4 << 30

// collectAfter leaves the loops time to close whom a round has found.
const collectAfter = 500 * time.Millisecond

// watchMemory is the ticker's.
func (s *Server) watchMemory(now time.Duration) {
	m := &s.node.Memory
	if !m.Due(now) {
		return
	}
	used, ok := s.memory()
	if !ok {
		return
	}
	changed, collect := m.Sample(used)
	if collect {
		time.AfterFunc(collectAfter, func() {
			s.collect()
			m.Collected()
		})
	}
	if changed {
		report := s.cfg.Logger.Warn
		if m.Level() == gate.MemoryFine {
			report = s.cfg.Logger.Info
		}
		report("memory", slog.String("state", m.Level().String()), slog.Int64("used", used), slog.Int64("limit", m.Limit))
	}
}
