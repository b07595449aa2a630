package tlsrecord

import "crypto/cipher"

// A loop keeps one AEAD for every 16 connections, which is some 50 bytes a connection, or those of 128
// connections if these are more, and of 2,048 at most. To keep all would be most of what a connection takes.
const (
	minKept   = 256
	maxKept   = 4096
	connsAKey = 16
)

// keptOf is how many are kept of so many connections.
func keptOf(conns int) int { return min(max(minKept, conns/connsAKey), maxKept) }

// aeads are those that were used last. Owned by the loop.
type aeads struct {
	list []aead // from 1: 0 is the list's two ends
	max  int
	free uint16 // the first that is empty, linked by next
}

type aead struct {
	cipher.AEAD
	of         *half // in its chunk, which does not move
	prev, next uint16
}

func newAEADs(size int) aeads { return aeads{list: make([]aead, 1), max: size} }

// get is the AEAD of a direction.
func (a *aeads) get(h *half) cipher.AEAD {
	if h.kept != 0 {
		if a.list[0].next != h.kept {
			a.unlink(h.kept)
			a.first(h.kept)
		}
		return a.list[h.kept].AEAD
	}
	return a.put(h, h.aead())
}

// put keeps the AEAD of a direction that has none here.
func (a *aeads) put(h *half, made cipher.AEAD) cipher.AEAD {
	i := a.room()
	a.list[i].AEAD, a.list[i].of = made, h
	h.kept = i
	a.first(i)
	return made
}

// room is an empty place, that of the one which was used longest ago if there is no other.
func (a *aeads) room() uint16 {
	switch {
	case a.free != 0:
		i := a.free
		a.free = a.list[i].next
		return i
	case len(a.list) <= a.max:
		a.list = append(a.list, aead{})
		return uint16(len(a.list) - 1)
	default:
		i := a.list[0].prev
		a.unlink(i)
		a.list[i].of.kept = 0
		return i
	}
}

// drop forgets the AEAD of a direction whose key ends.
func (a *aeads) drop(h *half) {
	i := h.kept
	if i == 0 {
		return
	}
	a.unlink(i)
	a.list[i] = aead{next: a.free}
	a.free, h.kept = i, 0
}

func (a *aeads) first(i uint16) {
	next := a.list[0].next
	a.list[i].prev, a.list[i].next = 0, next
	a.list[next].prev = i
	a.list[0].next = i
}

func (a *aeads) unlink(i uint16) {
	prev, next := a.list[i].prev, a.list[i].next
	a.list[prev].next, a.list[next].prev = next, prev
}
