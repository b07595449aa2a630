package flood

import (
	"runtime"
	"sync"
	"time"

	"github.com/stormwheel/stormwheel/internal/reactor"
)

// Turns are those of a server's loops in this process, by the clock and by the processor time of the thread that they
// are on: what the clock has more, the thread had no processor, or waited in a page fault.
type Turns struct {
	mu       sync.Mutex
	longest  time.Duration // by the clock
	own      time.Duration // the longest by processor time
	lost     time.Duration // what the longest by the clock was without a processor
	all, cut int           // how many, and those that were without a processor for a tenth of their budget
	over     int           // those that took more than MostTurn of processor time
}

const (
	// CutTime is a tenth of a turn.
	CutTime = 100 * time.Microsecond
	// MostTurn is the longest that a turn is to take.
	MostTurn = 1100 * time.Microsecond
)

// WatchTurns measures all turns from now on. It is called before a server is started.
func WatchTurns() *Turns {
	t := new(Turns)
	reactor.WatchTurns = t.begin
	return t
}

// begin holds the turn on its thread: else it might end on another, whose time says nothing of it.
func (t *Turns) begin() (ended func()) {
	runtime.LockOSThread()
	began, used := time.Now(), threadTime()
	return func() {
		own, took := threadTime()-used, time.Since(began)
		runtime.UnlockOSThread()
		t.mu.Lock()
		defer t.mu.Unlock()
		t.all++
		if took-own > CutTime {
			t.cut++
		}
		if own > MostTurn {
			t.over++
		}
		t.own = max(t.own, own)
		if took > t.longest {
			t.longest, t.lost = took, took-own
		}
	}
}

// Tell adds the figures of the turns so far: the longest by the clock, what of that was without a processor, the longest
// by processor time, in milliseconds, and how many in a thousand took more of that than MostTurn, and were without a
// processor for a tenth of their budget.
func (t *Turns) Tell(figures map[string]float64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	figures["turn_ms"] = t.longest.Seconds() * 1000
	figures["turn_lost_ms"] = t.lost.Seconds() * 1000
	figures["turn_cut"] = 1000 * float64(t.cut) / float64(max(t.all, 1))
	if threadTime() > 0 {
		figures["turn_cpu_ms"] = t.own.Seconds() * 1000
		figures["turn_over"] = 1000 * float64(t.over) / float64(max(t.all, 1))
	}
}
