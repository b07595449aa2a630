package reactor_test

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/gate"
	"github.com/stormwheel/stormwheel/internal/reactor"
)

// A loop of the model as its reactor sees it: transport and application.

func (l *modelLoop) Write(slot reactor.Slot, b []byte) (sent, queued int) {
	if s := l.lines[slot]; !s.gone {
		l.w.push(&s.down, append([]byte(nil), b...))
	}
	return len(b), 0
}

func (l *modelLoop) Farewell(reactor.Slot, codec.Code)           {}
func (l *modelLoop) Queued(reactor.Slot) int                     { return 0 }
func (l *modelLoop) Unsent(reactor.Slot) int                     { return 0 }
func (l *modelLoop) Held(slot reactor.Slot) int                  { return len(l.lines[slot].held) }
func (l *modelLoop) Unread(reactor.Slot) int                     { return 0 }
func (l *modelLoop) Waited(reactor.Slot) (time.Duration, bool)   { return 0, true }
func (l *modelLoop) FinishWrite(slot reactor.Slot)               { l.w.push(&l.lines[slot].down, nil) }
func (l *modelLoop) Close(slot reactor.Slot)                     { l.end(slot, reactor.ReasonShutdown) }
func (l *modelLoop) Abort(slot reactor.Slot)                     { l.end(slot, reactor.ReasonShutdown) }
func (l *modelLoop) RemoteAddr(reactor.Slot) (none netip.Addr)   { return none }
func (l *modelLoop) Greeted(slot reactor.Slot, o reactor.Origin) { l.lines[slot].from = o }
func (l *modelLoop) Origin(slot reactor.Slot) reactor.Origin     { return l.lines[slot].from }

func (l *modelLoop) end(slot reactor.Slot, why reactor.Reason) {
	s := l.lines[slot]
	if s.over {
		return
	}
	s.over, s.up = true, nil
	l.w.push(&s.down, nil)
	l.r.Closed(slot, why)
}

func (l *modelLoop) Opened(slot reactor.Slot)                        { l.sayOne(slot) }
func (l *modelLoop) Settled(reactor.Outcome, reactor.Waiter)         {}
func (l *modelLoop) Granted(reactor.Slot, any)                       {}
func (l *modelLoop) Follows(reactor.Slot, uint64)                    {}
func (l *modelLoop) Stamp(reactor.Slot, uint64) uint64               { return 0 }
func (l *modelLoop) Missed(reactor.Slot, string, int)                {}
func (l *modelLoop) Closed(reactor.Slot, reactor.Reason)             {}
func (l *modelLoop) Gone(reactor.Slot)                               {}
func (l *modelLoop) Refused(reactor.Reason)                          {}
func (w *world) key(c *user, n uint64) string                        { return fmt.Sprint(c.incarnation, " ", n) }
func (l *modelLoop) ack(slot reactor.Slot, n uint64, m gate.Mark)    { l.say(slot, n, n, m) }
func (l *modelLoop) say(slot reactor.Slot, a, b uint64, m gate.Mark) { l.w.say(l, slot, a, b, m) }

// asks says whether a message wants a reply.
func asks(n uint64) bool { return n%4 == 0 }

// replies says whether a message that is acknowledged gets one.
func (w *world) replies(first, last uint64, m gate.Mark) bool {
	return m == gate.Mark{} && first == last && (asks(first) || w.random.IntN(10) == 0)
}

// say settles in a callback.
func (w *world) say(l *modelLoop, slot reactor.Slot, first, last uint64, m gate.Mark) {
	w.verdicts++
	var err error
	if w.replies(first, last, m) {
		err = l.r.Reply(slot, first, []byte(w.key(l.lines[slot].of, first)))
	} else if m.Refused {
		err = l.r.Nack(slot, &codec.NackMessage{Number: first, Code: codec.NackCode(m.Word), Reason: []byte("no")})
	} else {
		err = l.r.Ack(slot, codec.AckMessage{Range: codec.Range{First: first, Last: last}, What: uint8(m.Word)})
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

func (l *modelLoop) Message(slot reactor.Slot, number uint64, body []byte, wantsReply bool) {
	w, s := l.w, l.lines[slot]
	if number == 0 {
		l.sayOne(slot)
		return
	}
	c, key := s.of, w.key(s.of, number)
	if string(body) != key || wantsReply != asks(number) {
		w.t.Fatalf("%q is handled as %q", body, key)
	}
	if l.n.taken[key] {
		w.t.Fatalf("%q is handled twice by one run of %s", key, l.n.addr)
	}
	l.n.taken[key] = true
	m := gate.Mark{Refused: w.random.IntN(8) == 0, Word: uint16(w.random.IntN(3))}
	if m.Refused {
		m.Word = uint16(codec.NackRefused) + m.Word
	}
	switch {
	case w.chance(60):
		w.panics++
		delete(l.n.taken, key)
		c.said(number, gate.Mark{Refused: true, Word: uint16(codec.NackInternal)})
		l.r.Panicked()
	case w.random.IntN(2) == 0:
		c.said(number, m)
		l.ack(slot, number, m)
		if w.chance(10) {
			l.ack(slot, number, gate.Mark{Word: 77}) // the first counts
		}
	default:
		l.n.later = append(l.n.later, verdict{c, number, m})
	}
	if w.chance(4) {
		l.sayOne(slot)
	}
	if w.chance(60) {
		w.pauses++
		if err := l.r.PauseRead(slot); err != nil {
			w.t.Fatal(err)
		}
		l.paused = append(l.paused, l.r.Handle(slot))
	}
}

// resume has some sessions read on.
func (l *modelLoop) resume() {
	l.paused = slices.DeleteFunc(l.paused, func(handle uint64) bool {
		if l.w.chance(2) {
			return false
		}
		if slot := reactor.SlotOf(handle); !l.lines[slot].over && l.r.Handle(slot) == handle {
			_ = l.r.ResumeRead(slot) // its goodbye may be on its way
		}
		return true
	})
}

// sayOne settles in a callback what an earlier one has left open, perhaps with all that is before it.
func (l *modelLoop) sayOne(slot reactor.Slot) {
	w, c := l.w, l.lines[slot].of
	for i, v := range l.n.later {
		if v.of != c {
			continue
		}
		first := v.number
		if !v.mark.Refused && w.random.IntN(3) == 0 {
			first -= min(first-1, w.random.Uint64N(20))
			for _, other := range l.n.later {
				if other.of == c && first <= other.number && other.number <= v.number {
					c.said(other.number, v.mark)
				}
			}
		}
		c.said(v.number, v.mark)
		l.say(slot, first, v.number, v.mark)
		l.n.later = append(l.n.later[:i:i], l.n.later[i+1:]...)
		return
	}
}

// settleElsewhere is what Server.Ack and Nack do: some goroutine has dealt with a message.
func (w *world) settleElsewhere(n *modelNode) {
	if len(n.later) == 0 {
		return
	}
	i := w.random.IntN(len(n.later))
	v := n.later[i]
	from := n.gate.Senders.Find("alice", v.of.incarnation)
	if from == nil {
		w.t.Fatalf("nothing is known of %d of %x", v.number, v.of.incarnation)
	}
	v.of.said(v.number, v.mark)
	busy := errors.New("busy")
	err := from.Settle(codec.Range{First: v.number, Last: v.number}, v.mark, func(session uint64, run codec.Range) error {
		if w.chance(10) {
			return busy // it says it another time
		}
		box := n.loops[session>>56].r.Mailbox()
		if w.replies(v.number, v.number, v.mark) {
			return box.Reply(session, v.number, []byte(w.key(v.of, v.number)))
		}
		if v.mark.Refused {
			return box.Nack(session, &codec.NackMessage{Number: v.number, Code: codec.NackCode(v.mark.Word)})
		}
		return box.Ack(session, codec.AckMessage{Range: run, What: uint8(v.mark.Word)})
	})
	if err == nil {
		w.verdicts++
		n.later = append(n.later[:i:i], n.later[i+1:]...)
	} else if err != busy {
		w.t.Fatal(err)
	}
}
