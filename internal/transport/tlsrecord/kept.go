package tlsrecord

import (
	"crypto/cipher"
	"time"
)

// An AEAD is some 800 bytes and a microsecond, and two are needed for a heartbeat. To keep those of all
// connections would be most of what a connection takes; to make them each time is most of what a record costs.
// So a loop keeps those of whom it has just heard, and for a second or two those of connections that come again
// within a second: who is idle pays with the microseconds, who is busy with the bytes, as long as it is.
//
// A record of a busy connection touches nothing of others: who was used last is not put in front, but passed
// over when its turn to be forgotten has come.
const (
	maxRecent = 32      // connections: 49 KiB
	maxBusy   = 8 << 10 // connections: 13 MiB

	tickTime  = 250 * time.Millisecond
	busyTicks = 4   // without a record, and a busy one is so no more
	ticks     = 255 // after which they have the same numbers: from 1, 0 is never
)

// The lists of aeads.
const (
	recent = iota // of connections that were used last
	busy          // of those for which they had to be made twice within busyTicks
	lists
)

// aeads are those that are kept. Owned by the loop.
type aeads struct {
	list  []aead // the first ones are the lists' two ends
	count [lists]int
	most  [lists]int
	free  uint16 // the first that is empty, linked by next
	now   uint8  // the tick; 0: there are none, and nobody is busy
}

// aead are those of a connection: the ones that were needed.
type aead struct {
	made       [directions]cipher.AEAD
	of         *conn // in its chunk, which does not move
	prev, next uint16
	in         uint8 // which list
	looked     uint8 // the tick when it came into the list, or was passed over
}

func newAEADs(most [lists]int) aeads {
	a := aeads{list: make([]aead, lists), most: most}
	for i := range a.list {
		a.list[i].prev, a.list[i].next = uint16(i), uint16(i)
	}
	return a
}

// get is the AEAD of a direction, nil if it must be made.
func (a *aeads) get(c *conn, d direction) cipher.AEAD {
	if c.kept == 0 {
		return nil
	}
	e := &a.list[c.kept]
	if e.in == busy {
		c.used = a.now
	}
	return e.made[d]
}

// put keeps the AEAD of a direction that has none here.
func (a *aeads) put(c *conn, d direction, made cipher.AEAD) {
	if c.kept == 0 {
		a.begin(c)
	}
	a.list[c.kept].made[d] = made
}

// meet keeps the AEAD of one that has just come. What it says and hears at first makes nobody busy: else all of a
// crowd that comes were that, for a second.
func (a *aeads) meet(c *conn, d direction, made cipher.AEAD) {
	a.put(c, d, made)
	c.used = 0
}

// begin has a connection be among those whose AEADs are kept.
func (a *aeads) begin(c *conn) {
	in := uint8(recent)
	if c.used != 0 && a.since(c.used) <= busyTicks {
		in = busy
	}
	c.used = a.now
	if a.count[in] == a.most[in] {
		a.drop(a.list[a.list[in].prev].of)
	}
	i := a.free
	if i != 0 {
		a.free = a.list[i].next
	} else {
		i = uint16(len(a.list))
		a.list = append(a.list, aead{})
	}
	a.list[i].of, a.list[i].in = c, in
	a.count[in]++
	c.kept = i
	a.first(i, in)
}

// tick tells the time, and forgets the AEADs of who is busy no more. Each that is kept is looked at once in
// busyTicks.
func (a *aeads) tick(now time.Duration) {
	n := 1 + uint8(uint64(now/tickTime)%ticks)
	if n == a.now {
		return
	}
	a.now = n
	for a.count[busy] > 0 {
		oldest := a.list[busy].prev
		e := &a.list[oldest]
		switch {
		case a.since(e.looked) <= busyTicks:
			return
		case a.since(e.of.used) <= busyTicks:
			a.unlink(oldest)
			a.first(oldest, busy)
		default:
			a.drop(e.of)
		}
	}
}

// since is how many ticks ago one was.
func (a *aeads) since(used uint8) int { return (int(a.now) - int(used) + ticks) % ticks }

// forget forgets the AEAD of a direction.
func (a *aeads) forget(c *conn, d direction) {
	if c.kept != 0 {
		a.list[c.kept].made[d] = nil
	}
}

// drop forgets the AEADs of a connection.
func (a *aeads) drop(c *conn) {
	i := c.kept
	if i == 0 {
		return
	}
	a.unlink(i)
	a.count[a.list[i].in]--
	a.list[i] = aead{next: a.free}
	a.free, c.kept = i, 0
}

// first puts one at the beginning of a list.
func (a *aeads) first(i uint16, in uint8) {
	next := a.list[in].next
	a.list[i].prev, a.list[i].next, a.list[i].looked = uint16(in), next, a.now
	a.list[next].prev = i
	a.list[in].next = i
}

func (a *aeads) unlink(i uint16) {
	prev, next := a.list[i].prev, a.list[i].next
	a.list[prev].next, a.list[next].prev = next, prev
}
