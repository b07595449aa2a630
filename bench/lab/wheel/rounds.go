package wheel

import "time"

// rounds is Netty's HashedWheelTimer without its queues and its thread: a slot
// is a linked list of timers, each with the revolutions it has to wait. A
// heartbeat is cancel + new; that the node is used again is more than Netty does.
type rounds struct {
	kept
	now    int64
	slots  []*round // sentinels
	timers []*round // by connection
}

type round struct {
	next, prev *round
	rounds     int64
	id         uint32
}

const nettySlots = 512

func newRounds(int) subject {
	s := &rounds{slots: make([]*round, nettySlots)}
	for i := range s.slots {
		r := &round{}
		r.next, r.prev = r, r
		s.slots[i] = r
	}
	return s
}

func (s *rounds) link(r *round, ttl time.Duration) {
	due := s.now + 1 + int64(ttl/tick)
	r.rounds = (due - s.now - 1) / nettySlots
	slot := s.slots[due%nettySlots]
	r.prev, r.next = slot.prev, slot
	slot.prev.next, slot.prev = r, r
}

func (r *round) unlink() {
	r.prev.next, r.next.prev = r.next, r.prev
	r.next, r.prev = nil, nil
}

func (s *rounds) arm(ids []uint32, ttl time.Duration) {
	for _, id := range ids {
		r := &round{id: id}
		put(&s.timers, id, r)
		s.link(r, ttl)
	}
}

func (s *rounds) refresh(ids []uint32, ttl time.Duration) {
	for _, id := range ids {
		r := s.timers[id]
		r.unlink()
		s.link(r, ttl)
	}
}

func (s *rounds) cancel(ids []uint32) {
	for _, id := range ids {
		s.timers[id].unlink()
	}
}

func (s *rounds) advance(now time.Duration) (visited int, more bool) {
	for last := int64(now / tick); s.now < last; {
		s.now++
		slot := s.slots[s.now%nettySlots]
		for r := slot.next; r != slot; {
			next := r.next
			visited++
			if r.rounds > 0 {
				r.rounds--
			} else {
				r.unlink()
				s.over++
			}
			r = next
		}
	}
	return visited, false
}
