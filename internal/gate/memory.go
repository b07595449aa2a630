package gate

import (
	"sync/atomic"
	"time"
)

// Marks of the memory in use, in percent of the limit. A state ends hysteresis below the
// mark where it began, so that it does not flutter.
const (
	refuseMark = 92 // no new connection
	shedMark   = 95 // unauthenticated connections are closed, and those that keep most
	hysteresis = 3
)

// MemoryLevel is what the node does about its memory.
type MemoryLevel int32

// The levels, each with what the one before it does.
const (
	MemoryFine   MemoryLevel = iota
	MemoryRefuse             // no new connection
	MemoryShed               // some are closed
)

// String returns the name that Stats and logs use.
func (l MemoryLevel) String() string {
	return [...]string{"fine", "refuse", "shed"}[l]
}

// Memory compares what the process uses with its limit, once a second. The kernel's
// answer to a full limit is to kill the process, so some clients go before all do.
type Memory struct {
	Limit int64 // bytes; 0: nobody watches. Set before anybody uses it

	// Any goroutine reads them.
	level  atomic.Int32
	used   atomic.Int64
	rounds atomic.Uint64
	depth  atomic.Int32 // rounds in a row

	collecting atomic.Bool
	next       time.Duration // owned by who samples
}

// collectRounds is how many rounds in a row are followed by a collection: what then is left is
// no garbage.
const collectRounds = 16

// Level is what is being done.
func (m *Memory) Level() MemoryLevel { return MemoryLevel(m.level.Load()) }

// Used is what was in use at the last sample, in bytes.
func (m *Memory) Used() int64 { return m.used.Load() }

// Rounds counts the samples that found too much: each makes every loop shed once.
func (m *Memory) Rounds() uint64 { return m.rounds.Load() }

// Refuses says whether new connections must stay out.
func (m *Memory) Refuses() bool { return m.Level() >= MemoryRefuse }

// Above is what a session may keep in the present round: first in the first, and a quarter of
// it in each that follows.
func (m *Memory) Above(first int) int {
	return first >> (2 * min(max(m.depth.Load()-1, 0), 15))
}

// Due says that it is time for a sample, one a second.
func (m *Memory) Due(now time.Duration) bool {
	if m.Limit <= 0 || now < m.next || m.collecting.Load() {
		return false
	}
	m.next = now + time.Second
	return true
}

// Sample takes how many bytes are in use; changed says that the level is another now. collect
// asks for a collection before the next sample, once the loops have closed whom a round has
// found, and Collected is to be called after it: else all would be closed for memory that the
// collector has not come to.
func (m *Memory) Sample(used int64) (changed, collect bool) {
	m.used.Store(used)
	before := m.Level()
	level := before.after(float64(used) / float64(m.Limit) * 100)
	m.level.Store(int32(level))
	if level != MemoryShed {
		m.depth.Store(0)
		return level != before, false
	}
	m.depth.Add(1)
	m.rounds.Add(1)
	collect = m.depth.Load() <= collectRounds
	m.collecting.Store(collect)
	return level != before, collect
}

// Collected is called from any goroutine when a collection that Sample asked for is over.
func (m *Memory) Collected() { m.collecting.Store(false) }

// after is the level that follows l at the given percentage of the limit.
func (l MemoryLevel) after(percent float64) MemoryLevel {
	refuse, shed := float64(refuseMark), float64(shedMark)
	if l >= MemoryRefuse {
		refuse -= hysteresis
	}
	if l >= MemoryShed {
		shed -= hysteresis
	}
	switch {
	case percent >= shed:
		return MemoryShed
	case percent >= refuse:
		return MemoryRefuse
	default:
		return MemoryFine
	}
}
