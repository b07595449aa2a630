package wheel

import "time"

// sweep looks at every connection each period. uSockets does so every 4 s,
// through a linked list of its sockets; an array of 8 bytes a connection is the
// best case of the idea.
type sweep struct {
	kept
	now    uint32
	swept  uint32 // the last period in which it was done
	period uint32 // ticks
	conns  []sweepConn
}

type sweepConn struct{ last, ttl uint32 } // ttl 0: none

func newSweep(int) subject   { return &sweep{period: 1} }
func newSweep4s(int) subject { return &sweep{period: uint32(4 * time.Second / tick)} }

func (s *sweep) arm(ids []uint32, ttl time.Duration) {
	for _, id := range ids {
		c := sweepConn{s.now, 1 + uint32(ttl/tick)}
		put(&s.conns, id, c)
	}
}

func (s *sweep) refresh(ids []uint32, _ time.Duration) {
	for _, id := range ids {
		s.conns[id].last = s.now
	}
}

func (s *sweep) cancel(ids []uint32) {
	for _, id := range ids {
		s.conns[id].ttl = 0
	}
}

func (s *sweep) advance(now time.Duration) (visited int, more bool) {
	s.now = uint32(now / tick)
	if s.now/s.period == s.swept {
		return 0, false
	}
	s.swept = s.now / s.period
	for i := range s.conns {
		c := &s.conns[i]
		if c.ttl != 0 && s.now-c.last >= c.ttl {
			c.ttl = 0
			s.over++
		}
	}
	return len(s.conns), false
}
