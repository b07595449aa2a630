package reactor

import "time"

// What one loop asks of another about a session there, or of itself: that it ends, that it makes way
// for another, or how long it may last. It is done in the next turn of that loop.

// Closing is such a word. Loop says whose mailbox it is for.
type Closing struct {
	handle uint64
	kind   closingKind
	why    Reason
	by     Origin        // makeWay: of the session for which it does
	heir   uint64        // makeWay and askEnd: that session, or the client that waits for the answer
	heired bool          // makeWay: the heir is beyond the gate's places, and takes this one's
	delay  time.Duration // tellEnd: how long the session in the way may last
}

type closingKind uint8

const (
	endNow  closingKind = iota // it ends for why
	makeWay                    // it makes way for its heir
	askEnd                     // its heir's loop is to be told when it ends
	tellEnd                    // the answer, to who waits; ReasonNone: nobody is in the way any more
)

// Loop is the number of the loop that has the session.
func (c Closing) Loop() uint8 { return uint8(c.handle >> 56) }

func (r *Reactor) runClosing(c Closing) {
	switch c.kind {
	case askEnd:
		r.tellHeir(&c)
		return
	case tellEnd:
		r.hearEnd(&c)
		return
	}
	if c.heired {
		r.bequeath(&c)
	}
	slot, ok := r.resolve(c.handle)
	switch {
	case !ok:
		r.counters.Stale++
	case c.kind == makeWay:
		r.giveWay(slot, &c)
	default:
		r.sendAway(slot, c.why, linger)
	}
}

// yields says whether a session makes way. It is what the roster has decided, or else a return pass has
// named it: one of an older attempt may be read late, and where logins are refused nobody makes way for
// another process.
func (r *Reactor) yields(slot Slot, c *Closing) bool {
	own := r.app.Origin(slot)
	return !own.newer(c.by) && (r.mayDisplace() || own.sameProcess(c.by))
}

// giveWay ends a session for another's sake: a later attempt of its own process in a while, or another
// process.
func (r *Reactor) giveWay(slot Slot, c *Closing) {
	own := r.app.Origin(slot)
	switch {
	case !r.yields(slot, c):
		r.counters.Stale++
		if own.newer(c.by) {
			r.forward(Closing{handle: c.heir, why: ReasonSuperseded}) // it was read late
		}
	case c.why == ReasonReplaced:
		r.finish(slot, c.why)
	case own.sameProcess(c.by):
		r.retire(slot, c.heired)
	default:
		r.sendAway(slot, c.why, reset) // nobody is there to say farewell to
	}
}
