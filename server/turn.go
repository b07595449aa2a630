package server

import (
	"time"

	"github.com/stormwheel/stormwheel/timingwheel"
)

// turn is what a loop does once a tick: it goes on with a stop or a drain, makes
// room where there is none, and looks at the connections whose deadlines have come. It
// works until stop says that its time is over, and reports whether more is due.
func (r *reactor) turn(now time.Duration, stop func() bool) (debt bool) {
	r.observe(now)
	r.updateWindow()
	r.setStretch(r.node.Load.Stretch())
	if r.stopping {
		debt = r.posting || r.stopSome(stop) // what was accepted goes out first
	} else if r.node.Drain.On() {
		debt = r.tellSome(now, stop)
	}
	debt = r.displace(stop) || debt
	r.forgetArrivals()
	debt = r.shedSome(stop) || debt
	debt = r.announceSome(stop) || debt
	// One connection that is due at a time: to close it costs a thousand times what it costs
	// to ask whether the turn is over.
	p := r.wheel.Advance(r.now, timingwheel.Budget{Stop: stop, Expiries: 1}, r.onVisit)
	for p.More && !stop() {
		p = r.wheel.Advance(r.now, timingwheel.Budget{Stop: stop, Expiries: 1}, r.onVisit)
	}
	r.counters.Held = r.clock.held
	r.counters.Debt = p.Debt
	return debt || p.More
}

// updateWindow takes over the node's reconnect window when it has changed by more than a
// twentieth. Clients learn it from WELCOME and from their next PONG.
func (r *reactor) updateWindow() {
	window := r.node.Window.Length()
	if change := window - r.terms.Window; change.Abs() > r.terms.Window/20 {
		r.terms.Window = window
	}
}

// growWindow takes those into account who have come since the ticker last looked: a crowd that
// comes at once is not told the window of an empty house.
func (r *reactor) growWindow() {
	if fresh := r.node.WindowNow(r.cfg.MaxWindow); fresh > r.terms.Window+r.terms.Window/20 {
		r.terms.Window = fresh
		r.node.Window.Raise(fresh)
	}
}
