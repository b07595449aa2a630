package reactor_test

import (
	"errors"
	"fmt"
	"time"

	"github.com/stormwheel/stormwheel/internal/gate"
	"github.com/stormwheel/stormwheel/internal/link"
)

// A client of the model: what its link wants is done, and what its caller is told is held against what
// the handlers have said.

// act carries out what a link wants.
func (c *user) act() {
	w := c.w
	for _, a := range c.out.Actions {
		s := c.lines[a.Attempt]
		switch {
		case a.Op == link.Dial:
			s = &line{of: c, attempt: a.Attempt, addr: a.Addr}
			c.lines[a.Attempt] = s
			w.lines = append(w.lines, s)
		case a.Op == link.Write && s != nil:
			w.push(&s.up, append([]byte(nil), a.Data...))
		case a.Op == link.Close && s != nil:
			c.hangUp(s, nil)
		case a.Op == link.Notify:
			c.notified(&a.Event)
		}
	}
	c.out.Reset()
}

// hangUp ends a connection at the client. A cut loses some of what is on its way up, or none, and the
// node may not be told.
func (c *user) hangUp(s *line, cut error) {
	w := c.w
	s.gone, s.down = true, nil
	delete(c.lines, s.attempt)
	if cut == nil {
		w.push(&s.up, nil)
	} else {
		s.up = s.up[:w.random.IntN(len(s.up)+1)]
		if late := time.Duration(w.random.Int64N(int64(2 * time.Second))); len(s.up) > 0 && w.random.IntN(2) == 0 {
			for i := range s.up {
				s.up[i].at += late // and then its late bytes are read
			}
		}
		if w.random.IntN(2) == 0 {
			s.endAt = w.now + time.Duration(w.random.Int64N(int64(3*time.Second)))
		}
		c.l.Disconnected(w.now, s.attempt, cut, &c.out)
		c.act()
	}
}

func (c *user) settle(n uint64, how string) {
	if c.settled[n] != "" || !c.sent[n] {
		c.w.t.Fatalf("%d is %s; it was sent: %v, and has been %q", n, how, c.sent[n], c.settled[n])
	}
	c.settled[n] = how
}

func (c *user) notified(e *link.Event) {
	for n := e.ID; n != 0 && n <= e.Last; n++ {
		word := ""
		var refused *link.RefusedError
		switch {
		case e.Kind == link.Replied && (!asks(n) || string(e.Body) != c.w.key(c, n)):
			c.w.t.Fatalf("the reply to %d is %q", n, e.Body)
		case e.Kind == link.Acked, e.Kind == link.Replied:
			word = fmt.Sprint(gate.Mark{Word: uint16(e.What)})
		case e.Kind == link.Nacked && errors.As(e.Err, &refused):
			word = fmt.Sprint(gate.Mark{Refused: true, Word: uint16(refused.Code)})
		default:
			continue
		}
		if !c.words[n][word] {
			c.w.t.Fatalf("the caller is told %s of %d, and the handlers have said %v", word, n, c.words[n])
		}
		c.settle(n, e.Kind.String())
	}
}

func (c *user) said(n uint64, m gate.Mark) {
	if c.words[n] == nil {
		c.words[n] = map[string]bool{}
	}
	c.words[n][fmt.Sprint(m)] = true
}

func (c *user) step() {
	w := c.w
	for range w.random.IntN(5) {
		if w.calm {
			break
		}
		number := uint64(len(c.sent) + 1)
		send := c.l.Send
		if asks(number) {
			send = c.l.Request
		}
		if w.random.IntN(6) == 0 {
			_ = c.l.Post(w.now, nil, &c.out) // has a callback run, on a connection that was left, too
		} else if w.random.IntN(20) == 0 && number > 1 {
			old := number - 1 - w.random.Uint64N(min(number-1, 300))
			if c.l.GiveUp(w.now, old, &c.out) {
				c.settle(old, "given up")
			}
		} else if n, err := send(w.now, []byte(w.key(c, number)), &c.out); err == nil {
			c.sent[n] = true
		}
		c.act()
	}
	if w.now >= c.l.Deadline() {
		for a, s := range c.lines {
			if c.l.Asks(w.now, a) {
				untaken := 0
				for _, p := range s.up {
					untaken += len(p.b)
				}
				c.l.Flow(w.now, a, link.Flow{Untaken: untaken})
			}
		}
		c.l.Tick(w.now, &c.out)
		c.act()
	}
}
