package reactor

import (
	"cmp"
	"math/bits"
	"slices"
)

// slotSet is a set of slots in their order: 2 bytes a member where they lie apart and a bit a slot
// where they lie together, as in Roaring bitmaps (Chambi et al., 2014), but with parts so small that
// nothing moves far. A walk that keeps the next slot may go on while members come and go.
type slotSet struct {
	parts []setPart // in the order of their slots; none is empty
	size  int
}

const (
	partBits = 12
	partSpan = 1 << partBits // slots that a part spans
	maxFew   = partSpan / 16 // members beyond which bits take less
)

// setPart is the members of one span. Either few or bits is in use.
type setPart struct {
	span uint32   // slot >> partBits
	size uint32   // members
	few  []uint16 // in their order
	bits *[partSpan / 64]uint64
}

// find returns where the part of a span is, or would be.
func (s *slotSet) find(span uint32) (i int, ok bool) {
	return slices.BinarySearchFunc(s.parts, span, func(p setPart, span uint32) int { return cmp.Compare(p.span, span) })
}

// has says whether a slot is a member.
func (s *slotSet) has(slot Slot) bool {
	i, ok := s.find(uint32(slot >> partBits))
	return ok && s.parts[i].has(uint16(slot%partSpan))
}

// add makes a slot a member, and says whether it was none.
func (s *slotSet) add(slot Slot) bool {
	i, ok := s.find(uint32(slot >> partBits))
	if !ok {
		s.parts = slices.Insert(s.parts, i, setPart{span: uint32(slot >> partBits)})
	}
	added := s.parts[i].add(uint16(slot % partSpan))
	if added {
		s.size++
	}
	return added
}

// drop makes a slot none, and says whether it was one.
func (s *slotSet) drop(slot Slot) bool {
	i, ok := s.find(uint32(slot >> partBits))
	if !ok || !s.parts[i].drop(uint16(slot%partSpan)) {
		return false
	}
	s.size--
	if s.parts[i].size == 0 {
		s.parts = slices.Delete(s.parts, i, i+1)
	}
	return true
}

// next returns the first member from slot on.
func (s *slotSet) next(from Slot) (slot Slot, ok bool) {
	i, exact := s.find(uint32(from >> partBits))
	low := uint16(0)
	if exact {
		low = uint16(from % partSpan)
	}
	for ; i < len(s.parts); i, low = i+1, 0 {
		if at, ok := s.parts[i].next(low); ok {
			return Slot(s.parts[i].span)<<partBits | Slot(at), true
		}
	}
	return 0, false
}

func (p *setPart) has(at uint16) bool {
	if p.bits != nil {
		return p.bits[at/64]>>(at%64)&1 != 0
	}
	_, ok := slices.BinarySearch(p.few, at)
	return ok
}

func (p *setPart) add(at uint16) bool {
	if p.bits == nil && len(p.few) == maxFew {
		p.bits = new([partSpan / 64]uint64)
		for _, m := range p.few {
			p.bits[m/64] |= 1 << (m % 64)
		}
		p.few = nil
	}
	if p.bits != nil {
		if p.has(at) {
			return false
		}
		p.bits[at/64] |= 1 << (at % 64)
		p.size++
		return true
	}
	i, ok := slices.BinarySearch(p.few, at)
	if ok {
		return false
	}
	p.few = slices.Insert(p.few, i, at)
	p.size++
	return true
}

// drop goes back from bits to a list at half of what made them, so that no member on the border
// makes either again and again.
func (p *setPart) drop(at uint16) bool {
	if !p.has(at) {
		return false
	}
	p.size--
	if p.bits == nil {
		i, _ := slices.BinarySearch(p.few, at)
		p.few = slices.Delete(p.few, i, i+1)
		return true
	}
	p.bits[at/64] &^= 1 << (at % 64)
	if p.size > maxFew/2 {
		return true
	}
	few := make([]uint16, 0, maxFew)
	for at, ok := p.next(0); ok; at, ok = p.next(at + 1) {
		few = append(few, at)
	}
	p.few, p.bits = few, nil
	return true
}

// next returns the first member from at on, which may be one beyond the span.
func (p *setPart) next(at uint16) (uint16, bool) {
	if p.bits == nil {
		i, _ := slices.BinarySearch(p.few, at)
		if i == len(p.few) {
			return 0, false
		}
		return p.few[i], true
	}
	for word := at / 64; word < partSpan/64; word, at = word+1, 0 {
		if left := p.bits[word] >> (at % 64) << (at % 64); left != 0 {
			return word*64 + uint16(bits.TrailingZeros64(left)), true
		}
	}
	return 0, false
}

// bytes is the memory that the set takes.
func (s *slotSet) bytes() (n int) {
	const partBytes = 40
	n = cap(s.parts) * partBytes
	for i := range s.parts {
		if n += 2 * cap(s.parts[i].few); s.parts[i].bits != nil {
			n += partSpan / 8
		}
	}
	return n
}
