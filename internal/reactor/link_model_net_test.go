package reactor_test

import (
	"errors"
	"time"

	"github.com/stormwheel/stormwheel/internal/reactor"
)

// line is a connection.
type line struct {
	of       *user
	attempt  uint32
	addr     string
	loop     *modelLoop // nil: not connected yet
	slot     reactor.Slot
	from     reactor.Origin
	up, down []packet
	held     []byte // read by the node and not consumed
	gone     bool   // the client has no more to do with it
	over     bool   // the node has not either
	endAt    time.Duration
}

// packet is on its way; without bytes it is the end of the stream.
type packet struct {
	at time.Duration
	b  []byte
}

var errCut = errors.New("cut")

func (w *world) latency() time.Duration {
	if w.calm {
		return 10 * time.Millisecond
	}
	return time.Duration(w.random.Int64N(int64(300 * time.Millisecond)))
}

func (w *world) push(q *[]packet, b []byte) {
	at := w.now + w.latency()
	if n := len(*q); n > 0 {
		at = max(at, (*q)[n-1].at)
	}
	*q = append(*q, packet{at, b})
}

// connect has a dial succeed, or not.
func (w *world) connect(s *line) {
	if w.chance(5) {
		s.of.hangUp(s, errCut)
		return
	}
	for _, n := range w.nodes {
		if n.addr != s.addr {
			continue
		}
		l := n.loops[w.random.IntN(len(n.loops))]
		slot, ok := l.r.Open(w.now)
		if !ok {
			w.t.Fatal("no slot")
		}
		s.loop, s.slot = l, slot
		l.lines[slot] = s
		l.r.Enter(slot, 100)
	}
	s.of.l.Connected(w.now, s.attempt, nil, &s.of.out)
	s.of.act()
}

// carry brings what has arrived to the ends of a connection.
func (w *world) carry(s *line) {
	for len(s.up) > 0 && s.up[0].at <= w.now && !s.over {
		p := s.up[0]
		if s.up = s.up[1:]; p.b == nil {
			s.loop.end(s.slot, reactor.ReasonPeerClosed)
			return
		}
		s.held = append(s.held, p.b...)
		b := s.held
		n := s.loop.r.Receive(w.now, s.slot, b)
		s.held = append([]byte(nil), b[n:]...)
	}
	if s.endAt > 0 && w.now >= s.endAt && !s.over {
		s.loop.end(s.slot, reactor.ReasonPeerReset)
	}
	for len(s.down) > 0 && s.down[0].at <= w.now && !s.gone {
		p := s.down[0]
		if s.down = s.down[1:]; p.b == nil {
			s.of.hangUp(s, errCut)
			return
		}
		for b := p.b; len(b) > 0; { // whole frames, of which it takes some at a time
			n, _ := s.of.l.Received(w.now, s.attempt, b, &s.of.out)
			b = b[n:]
			s.of.act()
		}
	}
}
