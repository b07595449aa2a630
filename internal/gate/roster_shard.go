package gate

import "sync"

// shard is a part of the roster: a table of chains. Sessions of one id lie in one chain, in the order
// of their logins; a later attempt comes behind the earlier one of its process.
type shard struct {
	mu      sync.Mutex
	heads   []uint32 // of the chains, by the low bits of a tag
	entries []entry
	free    uint32 // a chain of what may be used again
	used    int
	_       [32]byte // keeps the locks of two shards on different cache lines
}

// entry is one session.
type entry struct {
	tag         uint64 // stands for the client id
	handle      uint64
	incarnation uint64
	attempt     uint32
	link        uint32 // the next of the chain, shifted, and whether it was welcomed
}

// Places of entries count from 1; 0 is the end of a chain.

func (s *shard) at(place uint32) *entry {
	if place == 0 {
		return nil
	}
	return &s.entries[place-1]
}

func (e *entry) next() uint32 { return e.link >> 1 }

func (e *entry) setNext(place uint32) { e.link = place<<1 | e.link&1 }

func (e *entry) welcomed() bool { return e.link&1 != 0 }

// follows says that e is of the process of before, which is the entry in front of it.
func (e *entry) follows(before *entry) bool {
	return before != nil && before.incarnation == e.incarnation && e.incarnation != 0
}

func (l *Login) sameAs(e *entry) bool { return e.incarnation == l.Incarnation && l.Incarnation != 0 }

// first is the first session under a tag, or nil.
func (s *shard) first(tag uint64) *entry {
	if len(s.heads) == 0 {
		return nil
	}
	return s.from(s.heads[s.chain(tag)], tag)
}

// after is the next one under the tag of e.
func (s *shard) after(e *entry) *entry { return s.from(e.next(), e.tag) }

func (s *shard) from(place uint32, tag uint64) *entry {
	for e := s.at(place); e != nil; e = s.at(e.next()) {
		if e.tag == tag {
			return e
		}
	}
	return nil
}

func (s *shard) chain(tag uint64) uint64 { return tag & uint64(len(s.heads)-1) }

// insert lists a session behind one of its own process, or at the end of its chain.
func (s *shard) insert(tag uint64, l Login, behind *entry, welcomed bool) {
	var after uint32
	if behind != nil {
		after = s.place(behind)
	}
	if s.used >= len(s.heads) {
		s.grow()
	}
	place := s.take()
	e := s.at(place)
	*e = entry{tag: tag, handle: l.Handle, incarnation: l.Incarnation, attempt: l.Attempt}
	if welcomed {
		e.link = 1
	}
	s.used++
	if after == 0 {
		s.append(place)
		return
	}
	b := s.at(after)
	e.setNext(b.next())
	b.setNext(place)
}

// append puts an entry at the end of its chain.
func (s *shard) append(place uint32) {
	e := s.at(place)
	e.setNext(0)
	head := &s.heads[s.chain(e.tag)]
	if *head == 0 {
		*head = place
		return
	}
	last := s.at(*head)
	for last.next() != 0 {
		last = s.at(last.next())
	}
	last.setNext(place)
}

// remove takes the sessions under a tag from the list that drop names.
func (s *shard) remove(tag uint64, drop func(*entry) bool) {
	if len(s.heads) == 0 {
		return
	}
	head := &s.heads[s.chain(tag)]
	var before *entry
	for place := *head; place != 0; {
		e := s.at(place)
		next := e.next()
		if e.tag != tag || !drop(e) {
			before, place = e, next
			continue
		}
		if before == nil {
			*head = next
		} else {
			before.setNext(next)
		}
		*e = entry{link: s.free << 1}
		s.free = place
		s.used--
		place = next
	}
}

func (s *shard) place(e *entry) uint32 {
	for place := s.heads[s.chain(e.tag)]; ; place = s.at(place).next() {
		if s.at(place) == e {
			return place
		}
	}
}

// take is an entry that is not in use.
func (s *shard) take() (place uint32) {
	if place = s.free; place != 0 {
		s.free = s.at(place).next()
		return place
	}
	s.entries = append(s.entries, entry{})
	return uint32(len(s.entries))
}

// grow makes room for twice as many chains: each becomes two, whose order is kept.
func (s *shard) grow() {
	old := s.heads
	s.heads = make([]uint32, max(8, 2*len(old)))
	for chain, place := range old {
		var lasts [2]*entry
		for place != 0 {
			e := s.at(place)
			next, half := e.next(), 0
			if s.chain(e.tag) != uint64(chain) {
				half = 1
			}
			if last := lasts[half]; last != nil {
				last.setNext(place)
			} else {
				s.heads[s.chain(e.tag)] = place
			}
			e.setNext(0)
			lasts[half], place = e, next
		}
	}
}
