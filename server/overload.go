package server

import (
	"log/slog"
	"runtime"
	"time"

	"github.com/stormwheel/stormwheel/internal/gate"
)

// watchLoad is the ticker's: it looks at all loops and sets the pace.
func (s *Server) watchLoad(now time.Duration) {
	s.away.look() // what has waited for room, or too long
	s.prompt.Observe(now, now-s.tickDue)
	ld := &s.node.Load
	if gate.Blind || !ld.Due(now, s.cfg.Tick) {
		return // the loops keep their longest waits until then
	}
	onTime := now-s.lookedAt < time.Second+s.cfg.Tick
	s.lookedAt = now
	var sample gate.Sample
	for _, l := range *s.loops.Load() {
		c := l.snapshot()
		sample.Taken += c.Knocks + c.Gone*gate.CostOfGone/gate.CostOfTaken
		sample.Waited = max(sample.Waited, time.Duration(l.waited.Swap(0)))
		late := l.lateness(now)
		sample.Late = max(sample.Late, late)
		l.delayed = late
		if late > heldTime && onTime {
			s.logHeld(l, late)
		}
		l.meter.Observe(c.SnapshotAt, l.taken.Load())
	}
	var checks *gate.Sample
	if s.auth != nil {
		c := s.auth.wait.sample(len(s.auth.jobs))
		checks = &c
	}
	var handshakes *gate.Sample
	if s.tls != nil {
		h := s.away.sample()
		handshakes = &h
	}
	seen, began := ld.Observe(now, sample, checks, handshakes)
	if s.overloadDue = (s.overloadDue || began) && ld.Over(); s.overloadDue && seen.Waited > gate.LongWait/2 {
		s.overloadDue = false
		s.logOverload(now, seen)
	}
	s.node.Queue.SetRate(now, ld.SlotRate())
	s.away.setRate(ld.HandshakeRate(now))
	s.away.giveBack(s.node.Unused.Swap(0))
	if s.node.Stopping.Load() {
		return // the listeners may be gone
	}
	prompt := s.prompt.Prompt(now)
	for _, l := range *s.loops.Load() {
		l.setBacklog(gate.Backlog(ld.Short(now), prompt, l.meter.Rate()/gate.CostOfTaken, l.delayed))
	}
}

// heldTime is how late a loop is at least that a handler has held. A busy machine's are not that late.
const heldTime = 3 * time.Second

// logHeld writes one line a minute. It is the ticker's, which has come in time: the process was not
// stopped.
func (s *Server) logHeld(l *loop, late time.Duration) {
	if _, log := s.held.note(time.Now()); log {
		s.cfg.Logger.Warn("a handler has held an event loop: it must not block", "loop", l.index, "seconds", late.Seconds())
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

// boundQueues has a crowd wait at each listening socket at most, from the start. What a slow loop's queue
// takes before anybody looks at it for the first time is seconds of work for clients that will have gone.
func (s *Server) boundQueues() {
	for _, c := range s.claims {
		if c == nil || gate.Blind {
			continue
		}
		for _, fd := range listenersAt(c.tcp.AddrPort()) {
			if err := setListenBacklog(fd, gate.UsualBacklog); err != nil {
				s.cfg.Logger.Error("cannot bound the accept queue", slog.Any("err", err))
			}
		}
	}
}

// setBacklog has about n connections wait at each of the loop's listeners at most. It is the ticker's.
func (l *loop) setBacklog(n int) {
	if len(l.listeners) == 0 || n == l.backlog || (n-l.backlog)*(n-l.backlog)*100 < n*n { // within a tenth
		return
	}
	for _, fd := range l.listeners {
		if err := setListenBacklog(fd, n); err != nil {
			l.srv.cfg.Logger.Error("cannot bound the accept queue", slog.Any("err", err))
			l.listeners = nil
			return
		}
	}
	l.backlog = n
}

// listenersBeside are the listening sockets of the event loop that has the connection fd.
func (s *Server) listenersBeside(fd int) []int {
	if fd < 0 {
		return nil // it is in memory
	}
	listeners := findListeners(fd)
	if len(listeners) == 0 && runtime.GOOS == "linux" {
		s.cfg.Logger.Warn("a loop's listener was not found: its accept queue stays long under overload")
	}
	return listeners
}
