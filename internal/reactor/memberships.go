package reactor

import (
	"math/bits"
	"slices"
)

// memberships are the groups of each session by their numbers, without a pointer: who is in one
// group keeps its number in place, who is in two a pair of them elsewhere, others a list in a block
// of a power of two. A session without a group has 4 bytes here if one of the 1,024 sessions beside
// it has a group, else none. Owned by the loop.
type memberships struct {
	refs   []*[sessionChunk]memberRef // chunks are there on demand
	chunks [][]uint32                 // of which blocks are cut
	used   int                        // words taken of the last chunk
	free   [blockClasses][]memberRef  // blocks by class, to be used first
}

// memberRef is a number of a group, or where a block lies, with its kind in the low two bits; zero
// means none.
type memberRef uint32

const (
	oneGroup  memberRef = 1 // the group's number
	twoGroups memberRef = 2 // a block of two
	aList     memberRef = 3 // a block that begins with its length and its class

	kindBits = 2
	maxGroup = 1<<30 - 1 // the highest number of a group

	memberChunk  = 1 << 14 // words
	blockClasses = 12      // 2, 4, 8 to 4,096 words
	// MaxGroups is how many groups a session may be in.
	MaxGroups = 1<<blockClasses - 2
)

// of appends the numbers of a session's groups to dst.
func (t *memberships) of(slot Slot, dst []uint32) []uint32 {
	switch ref := t.ref(slot); ref & 3 {
	case oneGroup:
		return append(dst, uint32(ref>>kindBits))
	case twoGroups:
		return append(dst, t.block(ref, 2)...)
	case aList:
		return append(dst, t.list(ref)...)
	}
	return dst
}

// count is how many groups a session is in.
func (t *memberships) count(slot Slot) int {
	switch ref := t.ref(slot); ref & 3 {
	case oneGroup:
		return 1
	case twoGroups:
		return 2
	case aList:
		return len(t.list(ref))
	}
	return 0
}

// add adds a group to those of a session, which it is not in yet and which are not MaxGroups.
func (t *memberships) add(slot Slot, group uint32) {
	p := t.need(slot)
	switch ref := *p; ref & 3 {
	case 0:
		*p = memberRef(group)<<kindBits | oneGroup
	case oneGroup:
		pair := t.take(0)
		copy(t.block(pair, 2), []uint32{uint32(ref >> kindBits), group})
		*p = pair | twoGroups
	case twoGroups:
		old := t.block(ref, 2)
		*p = t.newList(old, group)
		t.give(ref, 0)
	default:
		if class, list := t.classOf(ref), t.list(ref); len(list)+1 < 2<<class {
			t.setLen(ref, len(list)+1)
			t.list(ref)[len(list)] = group
		} else {
			*p = t.newList(list, group)
			t.give(ref, class)
		}
	}
}

// drop takes a group from those of a session, which it is in.
func (t *memberships) drop(slot Slot, group uint32) {
	p := t.need(slot)
	switch ref := *p; ref & 3 {
	case oneGroup:
		*p = 0
	case twoGroups:
		pair := t.block(ref, 2)
		left := pair[0]
		if left == group {
			left = pair[1]
		}
		t.give(ref, 0)
		*p = memberRef(left)<<kindBits | oneGroup
	case aList:
		list := t.list(ref)
		i := slices.Index(list, group)
		list[i] = list[len(list)-1]
		t.setLen(ref, len(list)-1)
		if len(list)-1 == 2 {
			pair := t.take(0)
			copy(t.block(pair, 2), list[:2])
			t.give(ref, t.classOf(ref))
			*p = pair | twoGroups
		}
	}
}

// clear takes all groups from a session.
func (t *memberships) clear(slot Slot) {
	if ref := t.ref(slot); ref != 0 {
		switch ref & 3 {
		case twoGroups:
			t.give(ref, 0)
		case aList:
			t.give(ref, t.classOf(ref))
		}
		*t.need(slot) = 0
	}
}

func (t *memberships) ref(slot Slot) memberRef {
	if i := int(slot >> sessionChunkBits); i < len(t.refs) && t.refs[i] != nil {
		return t.refs[i][slot&(sessionChunk-1)]
	}
	return 0
}

func (t *memberships) need(slot Slot) *memberRef {
	i := int(slot >> sessionChunkBits)
	for i >= len(t.refs) {
		t.refs = append(t.refs, nil)
	}
	if t.refs[i] == nil {
		t.refs[i] = new([sessionChunk]memberRef)
	}
	return &t.refs[i][slot&(sessionChunk-1)]
}

// A block's address is counted in pairs of words, so that the kind has room beside it.

func (t *memberships) block(ref memberRef, words int) []uint32 {
	at := int(ref>>kindBits) * 2
	return t.chunks[at/memberChunk][at%memberChunk:][:words:words]
}

// The first word of a list's block is its length and above it its class.

func (t *memberships) classOf(ref memberRef) int { return int(t.block(ref, 1)[0] >> 16) }

func (t *memberships) list(ref memberRef) []uint32 {
	n := int(t.block(ref, 1)[0] & 0xffff)
	return t.block(ref, n+1)[1:]
}

func (t *memberships) setLen(ref memberRef, n int) {
	head := &t.block(ref, 1)[0]
	*head = *head>>16<<16 | uint32(n)
}

// newList makes a list of old and one more.
func (t *memberships) newList(old []uint32, group uint32) memberRef {
	class := bits.Len(uint(len(old)+1)) - 1 // 2<<class words hold the head and len(old)+1
	ref := t.take(class) | aList
	t.block(ref, 1)[0] = uint32(class)<<16 | uint32(len(old)+1)
	list := t.list(ref)
	copy(list, old)
	list[len(old)] = group
	return ref
}

// take takes a block of 2<<class words.
func (t *memberships) take(class int) memberRef {
	if n := len(t.free[class]); n > 0 {
		ref := t.free[class][n-1]
		t.free[class] = t.free[class][:n-1]
		return ref
	}
	words := 2 << class
	if len(t.chunks) == 0 || t.used+words > memberChunk {
		t.chunks = append(t.chunks, make([]uint32, memberChunk))
		t.used = 0
	}
	at := (len(t.chunks)-1)*memberChunk + t.used
	t.used += words
	return memberRef(at/2) << kindBits
}

func (t *memberships) give(ref memberRef, class int) {
	t.free[class] = append(t.free[class], ref>>kindBits<<kindBits)
}
