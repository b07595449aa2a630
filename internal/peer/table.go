package peer

import "github.com/cespare/xxhash/v2"

// table holds the sessions of this node, by client id; one id may have several. A session keeps its place while it
// lives, so that who asks for all can be told them in pieces. It costs 80 bytes and 4 to 8 in the index.
type table struct {
	pages []*[pageLen]session
	used  uint32 // places that were ever taken
	free  uint32 // the first free place, and the next ones by session.next; 0: none
	count int
	parts [1 << partBits]part
}

const (
	pageLen  = 1024 // sessions, of 80 bytes: whole pages of memory
	partBits = 6    // of an id's hash: each part of the index grows on its own, for short pauses
)

// part is a part of the index: chains of places by hash.
type part struct {
	heads []uint32
	count int
}

// session is one of this node. Places count from 1; 0 is none.
type session struct {
	id, user    string
	incarnation uint64
	stamp       uint64 // 0: the place is free
	claimed     uint64 // the number of its claim, above a bit: its owner was told to end it
	handle      uint64
	attempt     uint32
	homes       [2]uint32 // marks of the nodes with which its id and its user are registered
	next        uint32    // in its chain, or of the free ones
}

func (s *session) number() uint64 { return s.claimed >> 1 }
func (s *session) losing() bool   { return s.claimed&1 != 0 }
func (s *session) lose()          { s.claimed |= 1 }

func (t *table) at(place uint32) *session {
	return &t.pages[(place-1)/pageLen][(place-1)%pageLen]
}

// add takes a place for s.
func (t *table) add(s session) *session {
	place := t.free
	if place != 0 {
		t.free = t.at(place).next
	} else {
		if int(t.used) == len(t.pages)*pageLen {
			t.pages = append(t.pages, new([pageLen]session))
		}
		t.used++
		place = t.used
	}
	hash := xxhash.Sum64String(s.id)
	p := t.part(hash)
	if p.count >= len(p.heads) {
		t.grow(p)
	}
	head := &p.heads[p.chain(hash)]
	s.next, *head = *head, place
	*t.at(place) = s
	p.count++
	t.count++
	return t.at(place)
}

// remove frees the place of the session of an id and a stamp, and returns what it was.
func (t *table) remove(id string, stamp uint64) (s session, ok bool) {
	hash := xxhash.Sum64String(id)
	p := t.part(hash)
	if p.count == 0 {
		return s, false
	}
	for link := &p.heads[p.chain(hash)]; *link != 0; {
		place := *link
		if at := t.at(place); at.stamp == stamp && at.id == id {
			s, *link = *at, at.next
			*at = session{next: t.free}
			t.free = place
			p.count--
			t.count--
			return s, true
		} else {
			link = &at.next
		}
	}
	return s, false
}

// first is the place of the first session of an id, 0 if there is none; after one, next is the next.
func (t *table) first(id []byte) uint32 {
	hash := xxhash.Sum64(id)
	p := t.part(hash)
	if p.count == 0 {
		return 0
	}
	return t.along(p.heads[p.chain(hash)], id)
}

func (t *table) after(place uint32, id []byte) uint32 { return t.along(t.at(place).next, id) }

func (t *table) along(place uint32, id []byte) uint32 {
	for place != 0 && t.at(place).id != string(id) {
		place = t.at(place).next
	}
	return place
}

func (t *table) part(hash uint64) *part { return &t.parts[hash&(1<<partBits-1)] }

// chain is the number of a hash's chain in its part, which has a power of two of them.
func (p *part) chain(hash uint64) uint64 { return hash >> partBits & uint64(len(p.heads)-1) }

// grow makes room for twice as many.
func (t *table) grow(p *part) {
	old := p.heads
	p.heads = make([]uint32, max(4, 2*len(old)))
	for _, place := range old {
		for place != 0 {
			s := t.at(place)
			head := &p.heads[p.chain(xxhash.Sum64String(s.id))]
			place, s.next, *head = s.next, *head, place
		}
	}
}
