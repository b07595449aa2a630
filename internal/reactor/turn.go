package reactor

import (
	"time"

	"github.com/stormwheel/stormwheel/timingwheel"
)

// Part is a part of a turn. A work that takes many turns, as one post for very many sessions
// would, is to have a part of its own between these, and go on where its part was over.
type Part uint8

// The parts, in their order.
const (
	Posts     Part = iota // what others have asked for and resumed sessions have kept, when nothing else is overdue
	LessPosts             // the same, when something is, or much is on its way to many
	Many                  // what is on its way to many, when it is alone: heartbeats are in between
	Rest                  // everything else
)

// WatchTurns is the laboratory's, which measures turns by the processor time of their thread as well: it is called
// when a loop's turn begins, and what it returns when that has ended. It is set before the first loop begins.
var WatchTurns func() (ended func())

// Turn is what a loop does once a tick, and whenever it was asked to: it does what others have
// posted, goes on with a stop or a drain, makes room where there is none, and looks at the
// connections whose deadlines have come. late is how long ago it should have begun. Each part
// works until over says that its time is, and Turn reports whether more is due; Posting says whether
// that are posts.
//
// No event of a connection may wait that was read before: Turn closes connections outside
// their own callbacks.
func (r *Reactor) Turn(now, late time.Duration, over func(Part) bool) (more bool) {
	r.late = late > 2*r.cfg.Tick
	r.over = over
	r.observe(now)
	posting := r.runPosts(r.postsOver)
	posting = r.readOn(r.postsOver) || posting
	posting = r.bring(r.manyOver) || posting
	r.overdue = r.turn(r.restOver)
	return posting || r.overdue
}

// Posting says whether posts, what resumed sessions have kept, or what is on its way to many were left
// at the end of the last turn, or posts have come since.
func (r *Reactor) Posting() bool {
	return r.posting || r.resumed.len() > 0 || r.bringing() || !r.mailbox.Empty()
}

// part is the one that posts are in, and manyPart what is on its way to many: each leaves the other its
// time, and both leave it to what is overdue.
func (r *Reactor) part() Part {
	switch {
	case r.overdue && r.bringing():
		return Many
	case r.overdue || r.bringing():
		return LessPosts
	default:
		return Posts
	}
}

func (r *Reactor) manyPart() Part {
	switch {
	case r.overdue:
		return LessPosts
	case r.posting || r.resumed.len() > 0:
		return Posts
	default:
		return Many
	}
}

func (r *Reactor) turn(stop func() bool) (more bool) {
	r.updateWindow()
	r.setStretch(r.node.Load.Stretch())
	r.takeOver()
	if r.node.Stopping.Load() {
		// What was accepted goes out first, unless there is no time for it.
		more = r.Posting() && !r.node.Hurry.Load() || r.stop(stop)
	} else if r.node.Drain.On() {
		more = r.moveOut(stop)
	}
	more = r.makeRoom(stop) || more
	r.forgetArrivals()
	more = r.shed(stop) || more
	more = r.announce(stop) || more
	more = r.lookBehind(stop) || more
	return r.meetDeadlines(stop) || more
}

// meetDeadlines looks at the connections that are due. One at a time: to close it costs a
// thousand times what it costs to ask whether the turn is over.
func (r *Reactor) meetDeadlines(stop func() bool) (more bool) {
	p := r.wheel.Advance(r.now, timingwheel.Budget{Stop: stop, Expiries: 1}, r.onDue)
	for p.More && !stop() {
		p = r.wheel.Advance(r.now, timingwheel.Budget{Stop: stop, Expiries: 1}, r.onDue)
	}
	r.counters.Held = r.clock.held
	r.counters.Debt = p.Debt
	return p.More
}

// updateWindow takes over the node's reconnect window when it has changed by more than a
// twentieth. Clients learn it from WELCOME and from their next PONG.
func (r *Reactor) updateWindow() {
	window := r.node.Window.Length()
	if change := window - r.terms.Window; change.Abs() > r.terms.Window/20 {
		r.terms.Window = window
	}
}

// growWindow takes those into account who have come since the ticker last looked: a crowd that
// comes at once is not told the window of an empty house.
func (r *Reactor) growWindow() {
	if fresh := r.node.WindowNow(r.cfg.MaxWindow); fresh > r.terms.Window+r.terms.Window/20 {
		r.terms.Window = fresh
		r.node.Window.Raise(fresh)
	}
}
