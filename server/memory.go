package server

import (
	"cmp"
	"log/slog"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/stormwheel/stormwheel/internal/machine"
)

// Marks of the memory in use, in percent of the limit. A state ends hysteresis below the
// mark where it began, so that it does not flutter.
const (
	refuseMark = 92 // no new connection
	shedMark   = 95 // unauthenticated connections are closed, and those that keep most
	hysteresis = 3
)

// memoryLevel is what the node does about its memory.
type memoryLevel int32

const (
	memoryFine memoryLevel = iota
	memoryRefuse
	memoryShed
)

func (l memoryLevel) String() string {
	return [...]string{"fine", "refuse", "shed"}[l]
}

// memory compares what the process uses with its limit, once a second. The kernel's
// answer to a full limit is to kill the process, so some clients go before all do.
type memory struct {
	limit int64 // bytes; 0: nobody watches
	read  func() (used int64, ok bool)

	level  atomic.Int32  // any goroutine reads it
	used   atomic.Int64  // as of the last sample
	rounds atomic.Uint64 // samples that found too much: each makes every loop shed once

	// After each such sample, what was closed is given back before the next: else all would be
	// closed for memory that the collector has not come to.
	collect    func()
	collecting atomic.Bool
	depth      atomic.Int32 // rounds in a row

	// Owned by the ticker.
	next time.Duration
}

// collectAfter leaves the loops time to close whom a round has found.
const collectAfter = 500 * time.Millisecond

// collectRounds is how many rounds in a row are followed by a collection: what then is left is
// no garbage.
const collectRounds = 16

// above is what a session may keep in the present round: Config.SoftQueued in the first, and a
// quarter of it in each that follows.
func (m *memory) above(cfg *Config) int {
	first := cfg.SoftQueued
	if first < 0 {
		first = cfg.MaxQueued
	}
	return first >> (2 * min(max(m.depth.Load()-1, 0), 15))
}

// sample is called by the ticker.
func (m *memory) sample(now time.Duration, log *slog.Logger) {
	if m.limit <= 0 || now < m.next || m.collecting.Load() {
		return
	}
	m.next = now + time.Second
	used, ok := m.read()
	if !ok {
		return
	}
	m.used.Store(used)
	before := memoryLevel(m.level.Load())
	level := before.after(float64(used) / float64(m.limit) * 100)
	m.level.Store(int32(level))
	if level == memoryShed {
		m.depth.Add(1)
		m.rounds.Add(1)
		if m.collect != nil && m.depth.Load() <= collectRounds {
			m.collecting.Store(true)
			time.AfterFunc(collectAfter, func() {
				m.collect()
				m.collecting.Store(false)
			})
		}
	} else {
		m.depth.Store(0)
	}
	if level != before {
		report := log.Warn
		if level == memoryFine {
			report = log.Info
		}
		report("memory", slog.String("state", level.String()), slog.Int64("used", used), slog.Int64("limit", m.limit))
	}
}

// after is the level that follows l at the given percentage of the limit.
func (l memoryLevel) after(percent float64) memoryLevel {
	refuse, shed := float64(refuseMark), float64(shedMark)
	if l >= memoryRefuse {
		refuse -= hysteresis
	}
	if l >= memoryShed {
		shed -= hysteresis
	}
	switch {
	case percent >= shed:
		return memoryShed
	case percent >= refuse:
		return memoryRefuse
	default:
		return memoryFine
	}
}

// setMemory finds the limits that follow from the memory that there is.
func (s *Server) setMemory() {
	m := &s.shared.memory
	m.collect = debug.FreeOSMemory
	switch limit := s.cfg.MemoryLimit; {
	case limit > 0:
		m.limit, m.read = limit, machine.Resident
	case limit == 0:
		m.limit, m.read = machine.Cgroup()
	}
	switch total := s.cfg.MaxQueuedTotal; {
	case total > 0:
		s.shared.budget.max = total
	case total == 0:
		available := cmp.Or(m.limit, machine.Memory(), assumedMemory)
		s.shared.budget.max = max(available/4, int64(s.cfg.MaxQueued))
	}
}

// assumedMemory stands for the machine's where the system does not tell.
const assumedMemory = 4 << 30

// refuses says whether new connections must stay out.
func (m *memory) refuses() bool { return m.level.Load() >= int32(memoryRefuse) }
