package server

import (
	"log/slog"
	"sync/atomic"
	"time"
)

// connGate is the first of two gates: the hard limits, asked at accept. It exists because
// gnet ends the whole engine when accept meets the descriptor limit, so the limit is
// never reached: connections stay below it by a reserve, of which farewells may use
// half, and the last quarter is for those that are closed at once. Any goroutine may use
// it.
type connGate struct {
	max        int64 // connections admitted at once
	pendingMax int64 // of them, those that are not in yet
	knockMax   int64 // beyond max, those that may say whose place they come to take
	lingerMax  int64 // farewells that may wait for their peers; refused ones come on top of max
	fdLimit    int
	fdMark     int // where the last quarter of the reserve begins

	conns     atomic.Int64 // admitted and not closed yet
	lingering atomic.Int64
	pending   atomic.Int64 // of both, those that are not in yet
	knocking  atomic.Int64 // beyond max
	lastLog   atomic.Int64
}

// newGate computes the limits. open is the number of descriptors that are in use before
// the loops listen; limit is the process's descriptor limit. Each loop may have one
// connection in hand that it is about to close, and all of these fit into the last quarter.
func newGate(limit, open, loops, wanted int) *connGate {
	reserve := max(32, limit*3/100, 4*loops)
	most := limit - open - loops*loopDescriptors - reserve
	room := int64(max(1, min(wanted, most)))
	pendingMax := min(room, max(room/10, minPending))
	return &connGate{
		max:        room,
		pendingMax: pendingMax,
		// More than may be pending, so that silent ones do not hold all of it for long.
		knockMax:  min(2*pendingMax, max(0, int64(most)-room)),
		lingerMax: int64(reserve / 2),
		fdLimit:   limit,
		fdMark:    limit - reserve/4,
	}
}

// enter says whether a new connection may stay; every one that may calls leave at its
// end.
func (g *connGate) enter() (admitted bool) {
	if g.conns.Add(1) > g.max {
		g.conns.Add(-1)
		return false
	}
	return true
}

func (g *connGate) leave() { g.conns.Add(-1) }

// knock says whether a connection for which there is no place may say HELLO all the same: a
// client that returns takes the place of its own dead session. Everyone that may calls
// endKnock when it has a place, or goes.
func (g *connGate) knock() bool {
	if g.knocking.Add(1) > g.knockMax {
		g.knocking.Add(-1)
		return false
	}
	return true
}

func (g *connGate) endKnock() { g.knocking.Add(-1) }

// beginLinger says whether one more farewell may wait for its peer.
func (g *connGate) beginLinger() bool {
	if g.lingering.Add(1) > g.lingerMax {
		g.lingering.Add(-1)
		return false
	}
	return true
}

func (g *connGate) endLinger() { g.lingering.Add(-1) }

// starved says, of a connection that was accepted with the number fd, that the process has
// too few descriptors left to keep it, however briefly: the embedder opens files too. The
// kernel hands out the lowest free number, so every connection tells exactly.
func (g *connGate) starved(fd int) bool { return fd >= g.fdMark }

// logRefusal writes at most one line a second.
func (g *connGate) logRefusal(log *slog.Logger, now time.Duration, why Reason) {
	last := g.lastLog.Load()
	if last != 0 && int64(now)-last < int64(time.Second) || !g.lastLog.CompareAndSwap(last, int64(now)) {
		return
	}
	log.Warn("connections are being refused: no room", slog.String("reason", why.String()),
		slog.Int64("conns", g.conns.Load()), slog.Int64("max_conns", g.max),
		slog.Int64("pending", g.pending.Load()), slog.Int64("max_pending", g.pendingMax),
		slog.Int("descriptor_limit", g.fdLimit))
}
