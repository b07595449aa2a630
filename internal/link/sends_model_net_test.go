package link

import (
	"encoding/binary"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

// wire is a connection: what is on its way, in order.
type wire struct {
	up, down   []packet
	limits     codec.Limits
	latest     uint64          // number of the latest SEND that was written
	unanswered map[uint64]int  // SENDs that were written, and their bytes, until their answer is read
	unread     map[uint64]bool // the server's view: numbers that it has to answer here
	welcomed   bool
	draining   bool
}

type packet struct {
	at time.Duration
	b  []byte
}

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
	*q = append(*q, packet{at, append([]byte(nil), b...)})
}

// act carries out what the link wants.
func (w *world) act() {
	for _, a := range w.out.Actions {
		c := w.conns[a.Attempt]
		switch {
		case a.Op == Dial:
			w.conns[a.Attempt] = &wire{unanswered: map[uint64]int{}, unread: map[uint64]bool{}}
		case a.Op == Write && c != nil:
			w.writes(c, a.Data)
			w.push(&c.up, a.Data)
		case a.Op == Close:
			delete(w.conns, a.Attempt)
		case a.Op == Notify:
			w.notified(&a.Event)
		}
	}
	w.out.Reset()
}

// writes checks what the link writes, as far as its own knowledge goes.
func (w *world) writes(c *wire, b []byte) {
	for len(b) > 0 {
		f, size, err := codec.Decode(b, codec.MaxPayload)
		if err != nil {
			w.t.Fatal(err)
		}
		b = b[size:]
		if f.Type != codec.Send {
			continue
		}
		n, body, _ := codec.ParseMessage(f.Payload)
		if n == 0 {
			continue
		}
		if n <= c.latest {
			w.t.Fatalf("%d is written after %d", n, c.latest)
		}
		c.latest = n
		if w.written[n] {
			w.again++
		}
		w.written[n] = true
		for w.low < uint64(len(w.bodies)) && w.settled[w.low+1] != "" {
			w.low++
		}
		if n > w.low+maxUnsettled {
			w.t.Fatalf("%d is used while %d is unsettled", n, w.low+1)
		}
		bytes := 0
		for _, size := range c.unanswered {
			bytes += size
		}
		if most := int(c.limits.Unsettled); most > 0 && len(c.unanswered) >= most {
			w.t.Fatalf("%d is written beside %d, %d are allowed", n, len(c.unanswered), most)
		}
		if most := int(c.limits.UnsettledBytes); most > 0 && bytes > 0 && bytes+len(body) > most {
			w.t.Fatalf("%d bytes are unsettled, %d are allowed", bytes+len(body), most)
		}
		c.unanswered[n] = len(body)
	}
}

// arrive hands on what has come at the end of its way.
func (w *world) arrive() {
	for a, c := range w.conns {
		for len(c.up) > 0 && c.up[0].at <= w.now {
			b := c.up[0].b
			c.up = c.up[1:]
			w.node(c, b)
		}
		for w.conns[a] == c && len(c.down) > 0 && c.down[0].at <= w.now {
			b := c.down[0].b
			c.down = c.down[1:]
			f, _, _ := codec.Decode(b, codec.MaxPayload)
			if m, err := codec.ParseAck(f.Payload); f.Type == codec.Ack && err == nil {
				for n := range c.unanswered {
					if m.First <= n && n <= m.Last {
						delete(c.unanswered, n)
					}
				}
			} else if f.Type == codec.Nack {
				delete(c.unanswered, binary.BigEndian.Uint64(f.Payload))
			} else if f.Flags == codec.FlagReply {
				delete(c.unanswered, binary.BigEndian.Uint64(f.Payload[8:]))
			}
			w.l.Received(w.now, a, b, &w.out)
			w.act()
		}
	}
}
