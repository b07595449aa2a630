package server

import (
	"math"
	"sync/atomic"
	"time"

	"github.com/stormwheel/stormwheel/internal/gate"
)

// Overload: a configured rate is a ceiling, no measure of what the node can do. Left to
// itself, the kernel queues thousands of connections; a node that serves them more slowly than
// clients have patience serves only those that have given up, for ever. So the node measures
// how long HELLOs wait and how late its loops are, and holds the wait to about a second: the
// accept queue is as long as what a loop takes out of it in that time. Whoever finds it full
// is not refused but unanswered, at no cost to the node, and the client's kernel tries again
// by itself.

// load is what the ticker finds of how much the node has to do, and what the loops go by.
type load struct {
	// Owned by the ticker.
	pacer     *gate.Pacer
	checks    *gate.Pacer // of the authenticator, which may be slower than the loops
	stretcher *gate.Stretch
	steady    float64       // the pace, smoothed over steadyFor
	at        time.Duration // of the last look
	short     time.Duration // until then the accept queues are held short

	// Written by the ticker, any goroutine reads.
	over    atomic.Bool   // clients wait too long to be let in
	stretch atomic.Int32  // what terms are lengthened by, 0 before the first tick
	pace    atomic.Uint64 // clients a second that can be let in, as bits of a float64
	waited  atomic.Int64  // at the last tick, the longest wait of a HELLO, a time.Duration
	late    atomic.Int64  // and the lateness of the slowest loop
}

func (l *load) begin(cfg *Config) {
	l.pacer = gate.NewPacer(cfg.AdmitRate, 0)
	l.checks = gate.NewPacer(cfg.AdmitRate, 0)
	l.stretcher = gate.NewStretch(cfg.Heartbeat, cfg.Tick, 0)
	l.steady = cfg.AdmitRate
	l.pace.Store(math.Float64bits(cfg.AdmitRate))
}

func (l *load) readPace() float64 { return math.Float64frombits(l.pace.Load()) }

// lookEvery is the least time between two looks at the load. In one tick of a few
// milliseconds a slow node may read no HELLO at all, which is no sign of calm.
const lookEvery = 250 * time.Millisecond

// watchLoad is the ticker's: it looks at all loops and sets the pace.
func (s *Server) watchLoad(now time.Duration) {
	ld := &s.shared.load
	passed := now - ld.at
	if passed < lookEvery && s.cfg.Tick < lookEvery {
		return // the loops keep their longest waits until then
	}
	ld.at = now
	var sample gate.Sample
	for _, l := range *s.loops.Load() {
		c := l.snapshot()
		taken := c.Knocks + c.Gone
		sample.Taken += taken
		sample.Waited = max(sample.Waited, time.Duration(l.waited.Swap(0)))
		sample.Late = max(sample.Late, l.lateness(now))
		l.meter.Observe(c.SnapshotAt, taken)
	}
	ld.pacer.Observe(now, sample)
	ld.stretch.Store(int32(ld.stretcher.Observe(now, max(sample.Waited, sample.Late))))
	if s.auth != nil {
		checked := s.auth.wait.sample(len(s.auth.jobs))
		ld.checks.Observe(now, checked)
		sample.Waited = max(sample.Waited, checked.Waited)
	}
	pace := min(ld.pacer.Pace(), ld.checks.Pace())
	ld.pace.Store(math.Float64bits(pace))
	ld.waited.Store(int64(sample.Waited))
	ld.late.Store(int64(sample.Late))
	over := ld.pacer.Overloaded() || ld.checks.Overloaded()
	if was := ld.over.Swap(over); over && !was {
		s.logOverload(now, sample)
	}
	if ld.pacer.Overloaded() {
		ld.short = now + time.Second // one good look does not end it
	}
	s.shared.admission.setRate(now, min(max(ld.pacer.Pace(), s.cfg.AdmitRate/slotFloor), ld.checks.Pace()))
	ld.steady += (pace - ld.steady) * min(1, float64(passed)/float64(steadyFor))
	if s.stopping.Load() {
		return // the listeners may be gone
	}
	for _, l := range *s.loops.Load() {
		l.setBacklog(s.backlog(now < ld.short || ld.pacer.Pace() < s.cfg.AdmitRate, &l.meter))
	}
}

const (
	// slotFloor is the part of the ceiling at which slots are given out at least: whoever is
	// told a slot waits for it, even if the node is well again a moment later.
	slotFloor = 20
	// steadyFor is how slowly the reconnect window follows the pace. What clients are told must
	// be good for their next loss, which a slow minute of this node tells little about.
	steadyFor = time.Minute
)

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
		"waited", sample.Waited, "late", sample.Late, "pace", s.shared.load.readPace(), "admit_rate", s.cfg.AdmitRate)
}
