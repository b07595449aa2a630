package messaging_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/messaging"
	"github.com/stormwheel/stormwheel/messaging/envelope"
)

// roomLedger holds rooms over nodes to what is promised, by the name of every message, while nodes die, freeze and do
// not hear each other.
type roomLedger struct {
	*trouble
	room  string // the node that is its home is another in each world
	ears  []*listener
	says  []*ledgerSay
	texts map[envelope.Position]string // what was heard where
	count int

	processes uint64
}

// ledgerSay is something that was said.
type ledgerSay struct {
	by            *listener
	number        uint64
	text          string
	sent, settled time.Time
	taken         bool
}

// listener is a client that keeps to one room, as MESSAGING.md has clients do it.
type listener struct {
	l       *roomLedger
	name    string
	node    *rig
	p       *peer
	at      envelope.Position
	past    uint64 // the epoch before
	joining bool
	join    uint64
	asked   time.Time
	in      time.Time            // since when it has been a member
	heard   map[string]time.Time // texts
	missed  time.Time            // when it was last told that it missed something
	tells   int
}

func (e *listener) rejoin() {
	if e.joining {
		return
	}
	e.joining, e.asked = true, time.Now()
	e.join = e.p.say(envelope.Envelope{Kind: envelope.Join, Room: []byte(e.l.room), Position: e.at})
}

// listen takes all that has come.
func (e *listener) listen() {
	for _, f := range e.p.Received() {
		switch f.Type {
		case codec.Ack:
			m, _ := codec.ParseAck(f.Payload)
			for n := m.First; n <= m.Last; n++ {
				e.settled(n, true)
			}
		case codec.Nack:
			m, _ := codec.ParseNack(f.Payload)
			if m.Number == e.join {
				e.joining = false
				e.rejoin()
			}
			e.settled(m.Number, false)
		case codec.Deliver:
			_, body, _ := codec.ParseMessage(f.Payload)
			if m, err := envelope.Parse(body); err == nil {
				e.hear(&m)
			}
		}
	}
	if e.joining && time.Since(e.asked) > 5*time.Second {
		e.l.t.Fatalf("%s waits for its join since %v", e.name, e.asked)
	}
}

func (e *listener) hear(m *envelope.Envelope) {
	switch m.Kind {
	case envelope.Publication:
		e.publication(m)
	case envelope.Gap:
		if m.Position.Epoch != e.at.Epoch || m.Position.Offset > e.at.Offset {
			e.rejoin()
		}
	case envelope.Joined:
		e.joining = false
		before := e.at
		if e.in.IsZero() {
			e.in = time.Now()
		}
		same := before.Epoch == m.Position.Epoch
		if !same {
			e.past = before.Epoch
		}
		if !same || m.Position.Offset > before.Offset {
			e.at = m.Position
		}
		if before.Epoch != 0 && (!same || m.Position.Offset > before.Offset) {
			e.missed = time.Now()
			e.tells++
		}
	}
}

func (e *listener) publication(m *envelope.Envelope) {
	at := m.Position
	if e.joining && at.Epoch != e.at.Epoch || at.Epoch == e.past || at.Epoch == e.at.Epoch && at.Offset <= e.at.Offset {
		return
	}
	if at.Epoch != e.at.Epoch || at.Offset != e.at.Offset+1 {
		e.rejoin()
		return
	}
	e.at = at
	text := string(m.Content)
	if other, there := e.l.texts[at]; there && other != text {
		e.l.t.Fatalf("%s heard %q at %v, another %q", e.name, text, at, other)
	}
	e.l.texts[at] = text
	e.heard[text] = time.Now()
}

// settled notes the answer to a SEND.
func (e *listener) settled(number uint64, taken bool) {
	for _, s := range e.l.says {
		if s.by == e && s.number == number && s.settled.IsZero() {
			s.settled, s.taken = time.Now(), taken
		}
	}
}

func (e *listener) say() {
	e.l.count++
	s := &ledgerSay{by: e, text: fmt.Sprint(e.l.count), sent: time.Now()}
	s.number = e.p.toRoom(e.l.room, s.text)
	e.l.says = append(e.l.says, s)
}

// moves has a listener go to another node, with what it has heard.
func (e *listener) moves(to *rig) {
	for _, s := range e.l.says {
		if s.by == e && s.settled.IsZero() {
			s.by = nil // nobody knows
		}
	}
	e.node, e.p, e.joining = to, e.l.join(to, e.name), false
	e.rejoin()
}

// pass lets time go by, and everybody listen.
func (l *roomLedger) pass(d time.Duration) {
	for end := time.Now().Add(d); ; {
		step := min(20*time.Millisecond, time.Until(end))
		l.advance(max(0, step))
		for _, e := range l.ears {
			e.listen()
		}
		if !time.Now().Before(end) {
			return
		}
	}
}

// join has a client come as a process that no other is: what it says has names of its own.
func (l *roomLedger) join(to *rig, id string) *peer {
	l.processes++
	c := to.node.Dial()
	c.Hello(codec.HelloMessage{ClientID: []byte(id), Incarnation: 1000 + l.processes, Attempt: 1})
	c.ExpectWelcome()
	return &peer{Client: c, r: to}
}

// kill ends a node. Its clients come back elsewhere.
func (l *roomLedger) kill(r *rig) {
	l.f.dies(l.nameOf(r))
	l.pass(0)
	for _, e := range l.ears {
		if e.node == r {
			e.moves(l.one())
		}
	}
}

// babble has listeners say something while time goes by.
func (l *roomLedger) babble(d time.Duration) {
	for end := time.Now().Add(d); ; {
		if l.rng.IntN(3) > 0 {
			l.ears[l.rng.IntN(len(l.ears))].say()
		}
		l.pass(min(time.Until(end), time.Duration(l.rng.IntN(150))*time.Millisecond))
		if !time.Now().Before(end) {
			return
		}
	}
}

// balance holds all to the promises, when nothing is wrong any more.
func (l *roomLedger) balance() {
	l.t.Helper()
	l.lossy.Store(false)
	l.pass(40 * time.Second) // heads are told once more within that
	last := l.ears[0]
	last.say()
	l.pass(2 * time.Second)
	for _, s := range l.says {
		switch {
		case s.by == nil:
		case s.settled.IsZero():
			l.t.Fatalf("%q of %v was not settled", s.text, s.sent)
		case s.settled.Sub(s.sent) > 5*time.Second:
			l.t.Fatalf("%q was settled after %v", s.text, s.settled.Sub(s.sent))
		case s.taken:
			for _, e := range l.ears {
				if heard := e.heard[s.text]; heard.IsZero() && !e.in.IsZero() && e.in.Before(s.sent) && e.missed.Before(s.sent) {
					l.t.Fatalf("%s did not hear %q, said at %v by %s, and was not told; it is at %v, told at %v", e.name, s.text, s.sent, s.by.name, e.at, e.missed)
				}
			}
		}
	}
	for _, e := range l.ears {
		if e.at != last.at || e.at.Epoch == 0 {
			l.t.Fatalf("%s is at %v, %s at %v", e.name, e.at, last.name, last.at)
		}
	}
}

// run lets things go wrong for a while.
func (l *roomLedger) run() {
	for range 4 + l.rng.IntN(4) {
		all := l.living()
		a, b := l.nameOf(all[l.rng.IntN(len(all))]), l.nameOf(all[l.rng.IntN(len(all))])
		l.lossy.Store(l.rng.IntN(3) == 0)
		switch what := l.rng.IntN(6); {
		case what == 0 && len(all) > 2:
			l.kill(l.homeOf(l.room))
		case what == 1 && len(all) > 2:
			l.kill(l.one())
		case what == 2:
			l.freeze(a, time.Duration(l.rng.IntN(8))*time.Second)
		case what == 3 && a != b:
			l.split(a, b)
		case what == 4 && len(l.nodes) < 8:
			l.add(l.cfg(), nil)
		default:
			l.ears[l.rng.IntN(len(l.ears))].moves(l.one())
		}
		l.babble(time.Duration(l.rng.IntN(2000)) * time.Millisecond)
	}
}

func (l *roomLedger) cfg() messaging.Config {
	return messaging.Config{RingMessages: 20, MessageRate: -1, JoinRate: -1, MaxDevices: -1}
}

func TestRoomLedger(t *testing.T) {
	forSeeds(t, 12, func(t *testing.T, seed int) {
		inTown(t, 3, messaging.Config{RingMessages: 20, MessageRate: -1, JoinRate: -1, MaxDevices: -1}, func(w *town) {
			l := &roomLedger{room: fmt.Sprint("room", seed), trouble: newTrouble(w, seed), texts: make(map[envelope.Position]string)}
			l.during = l.babble
			for i := range 6 {
				e := &listener{l: l, name: fmt.Sprint("user", i), node: w.nodes[i%3], heard: make(map[string]time.Time)}
				e.p = l.join(e.node, e.name)
				e.rejoin()
				l.ears = append(l.ears, e)
				l.pass(time.Duration(l.rng.IntN(50)) * time.Millisecond)
			}
			l.pass(time.Second)
			l.run()
			l.balance()
		})
	})
}
