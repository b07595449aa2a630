package gate

import "sync/atomic"

// Conns is the first of two gates: the hard limits, asked when a connection comes. It exists
// because accept fails for good at the descriptor limit, so that is never reached: connections
// stay below it by a reserve, of which farewells may use half, and the last quarter is for
// those that are closed at once. Any goroutine may use it.
type Conns struct {
	Max          atomic.Int64 // connections admitted at once
	MaxPending   atomic.Int64 // of them, those that are not in yet
	MaxKnocking  atomic.Int64 // beyond Max, those that may say whose place they come to take
	MaxLingering int64        // farewells that may wait for their peers; refused ones come on top of Max
	Descriptors  int          // the process's limit

	most int // connections that descriptors leave room for
	mark int // the descriptor at which the last quarter of the reserve begins

	open      atomic.Int64 // admitted and not closed yet
	lingering atomic.Int64
	pending   atomic.Int64 // of both, those that are not in yet
	knocking  atomic.Int64 // beyond Max
}

// Connections that are not in yet may take a tenth of the places. When a flood of silent
// ones fills it, refusing the newcomer would let a few hundred a second lock everybody
// out; so the oldest that has not said HELLO goes, since an honest client has its HELLO
// on the way and is through long before its turn to go. The oldest of the node, not of the
// loop that happens to have the newcomer: that might be the newcomer itself.

// minPending is how many may be on their way in even on a small node: a tenth of it
// could not take the usual burst.
const minPending = 256

// NewConns computes the limits. descriptors is the process's limit, and used how many are in
// use before the loops listen; each of these needs perLoop of its own and may have one
// connection in hand that it is about to close, and all of these fit into the last quarter.
// wanted is how many connections are let in if there is room.
func NewConns(descriptors, used, loops, perLoop, wanted int) *Conns {
	reserve := max(32, descriptors*3/100, 4*loops)
	c := &Conns{
		MaxLingering: int64(reserve / 2),
		Descriptors:  descriptors,
		most:         descriptors - used - loops*perLoop - reserve,
		mark:         descriptors - reserve/4,
	}
	c.SetMax(wanted)
	return c
}

// SetMax lets wanted connections in if there is room, from now on: who is in stays. More may knock
// than may be pending, so that silent ones do not hold all of it for long.
func (c *Conns) SetMax(wanted int) {
	room := int64(max(1, min(wanted, c.most)))
	pending := min(room, max(room/10, minPending))
	c.Max.Store(room)
	c.MaxPending.Store(pending)
	c.MaxKnocking.Store(min(2*pending, max(0, int64(c.most)-room)))
}

// Open is how many connections are admitted and not closed yet.
func (c *Conns) Open() int64 { return c.open.Load() }

// Lingering is how many farewells wait for their peers.
func (c *Conns) Lingering() int64 { return c.lingering.Load() }

// Pending is how many connections are not in yet.
func (c *Conns) Pending() int64 { return c.pending.Load() }

// Knocking is how many connections are there beyond Max.
func (c *Conns) Knocking() int64 { return c.knocking.Load() }

// Enter says whether a new connection may stay; every one that may calls Leave at its end.
func (c *Conns) Enter() (admitted bool) { return take(&c.open, c.Max.Load()) }

// Force is Enter for a connection that gives its place back at once: there may be one too many
// for a moment.
func (c *Conns) Force() { c.open.Add(1) }

// Scarce says that hardly a sixteenth of the places is free.
func (c *Conns) Scarce() bool {
	most := c.Max.Load()
	return c.open.Load() > most-most/16
}

// Leave gives a place back.
func (c *Conns) Leave() { c.open.Add(-1) }

// Knock says whether a connection for which there is no place may say HELLO all the same: a
// client that returns takes the place of its own dead session. Everyone that may calls
// EndKnock when it has a place, or goes.
func (c *Conns) Knock() bool { return take(&c.knocking, c.MaxKnocking.Load()) }

// EndKnock gives back what Knock gave.
func (c *Conns) EndKnock() { c.knocking.Add(-1) }

// BeginLinger says whether one more farewell may wait for its peer. If owes says that messages
// wait for it, it may, over the bound if need be: it has its descriptor.
func (c *Conns) BeginLinger(owes bool) bool {
	if owes {
		c.lingering.Add(1)
		return true
	}
	return take(&c.lingering, c.MaxLingering)
}

// EndLinger is called when a farewell is over.
func (c *Conns) EndLinger() { c.lingering.Add(-1) }

// BeginPending counts a connection that is not in yet.
func (c *Conns) BeginPending() { c.pending.Add(1) }

// EndPending is called when it is in, or on its way out.
func (c *Conns) EndPending() { c.pending.Add(-1) }

// Crowded says whether too many are on their way in.
func (c *Conns) Crowded() bool { return c.pending.Load() > c.MaxPending.Load() }

// Overrun says that nobody has made room for a while: the loop whose turn it is may be stuck.
func (c *Conns) Overrun() bool {
	most := c.MaxPending.Load()
	return c.pending.Load() > most+most/8
}

// Starved says, of a connection that was accepted with the number fd, that the process has
// too few descriptors left to keep it, however briefly: the embedder opens files too. The
// kernel hands out the lowest free number, so every connection tells exactly.
func (c *Conns) Starved(fd int) bool { return fd >= c.mark }

// take counts one more, if that is no more than limit.
func take(n *atomic.Int64, limit int64) bool {
	if n.Add(1) > limit {
		n.Add(-1)
		return false
	}
	return true
}
