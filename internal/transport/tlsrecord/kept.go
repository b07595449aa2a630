package tlsrecord

import (
	"crypto/cipher"
	"time"
)

// An AEAD is some 800 bytes and a microsecond, and two are needed for a heartbeat. To keep those of all
// connections would be most of what a connection takes; to make them each time is most of what a record costs.
// So a loop keeps those of whom it has just heard, and for a second those of connections that come again within a
// second: who is idle pays with the microsecond, who is busy with the bytes, as long as it is.
const (
	maxRecent = 64       // 49 KiB
	maxBusy   = 16 << 10 // 13 MiB: 8,192 connections a loop

	tickTime  = 250 * time.Millisecond
	busyTicks = 4   // without a record, and a busy one is so no more
	ticks     = 255 // after which they have the same numbers: from 1, 0 is never
)

// The lists of aeads.
const (
	recent = iota // of those that were used last
	busy          // of those that were used twice within busyTicks
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

type aead struct {
	cipher.AEAD
	of         *half // in its chunk, which does not move
	prev, next uint16
	in         uint8 // which list
}

func newAEADs(most [lists]int) aeads {
	a := aeads{list: make([]aead, lists), most: most}
	for i := range a.list {
		a.list[i].prev, a.list[i].next = uint16(i), uint16(i)
	}
	return a
}

// get is the AEAD of a direction.
func (a *aeads) get(h *half) cipher.AEAD {
	i := h.kept
	if i == 0 {
		return a.put(h, h.aead())
	}
	h.used = a.now
	if in := a.list[i].in; a.list[in].next != i {
		a.unlink(i)
		a.first(i, in)
	}
	return a.list[i].AEAD
}

// put keeps the AEAD of a direction that has none here.
func (a *aeads) put(h *half, made cipher.AEAD) cipher.AEAD {
	in := uint8(recent)
	if h.used != 0 && a.since(h.used) <= busyTicks {
		in = busy
	}
	h.used = a.now
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
	a.list[i].AEAD, a.list[i].of, a.list[i].in = made, h, in
	a.count[in]++
	h.kept = i
	a.first(i, in)
	return made
}

// tick tells the time, and forgets the AEADs of who is busy no more.
func (a *aeads) tick(now time.Duration) {
	n := 1 + uint8(uint64(now/tickTime)%ticks)
	if n == a.now {
		return
	}
	a.now = n
	for a.count[busy] > 0 {
		oldest := a.list[a.list[busy].prev].of
		if a.since(oldest.used) <= busyTicks {
			return
		}
		a.drop(oldest)
	}
}

// since is how many ticks ago one was.
func (a *aeads) since(used uint8) int { return (int(a.now) - int(used) + ticks) % ticks }

// drop forgets the AEAD of a direction.
func (a *aeads) drop(h *half) {
	i := h.kept
	if i == 0 {
		return
	}
	a.unlink(i)
	a.count[a.list[i].in]--
	a.list[i] = aead{next: a.free}
	a.free, h.kept = i, 0
}

// first puts one at the beginning of a list.
func (a *aeads) first(i uint16, in uint8) {
	next := a.list[in].next
	a.list[i].prev, a.list[i].next = uint16(in), next
	a.list[next].prev = i
	a.list[in].next = i
}

func (a *aeads) unlink(i uint16) {
	prev, next := a.list[i].prev, a.list[i].next
	a.list[prev].next, a.list[next].prev = next, prev
}
