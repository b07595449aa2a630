package messaging_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/messaging"
	"github.com/stormwheel/stormwheel/messaging/envelope"
)

// roomLedger holds rooms over nodes to what is promised, by the name of every message, while nodes die, freeze and do
// not hear each other.
type roomLedger struct {
	*town
	rng   *rand.Rand
	cut   map[[2]string]bool // pairs of nodes between which nothing comes through
	lossy bool
	ears  []*listener
	says  []*ledgerSay
	texts map[envelope.Position]string // what was heard where
	count int
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
	e.join = e.p.say(envelope.Envelope{Kind: envelope.Join, Room: []byte("tea"), Position: e.at})
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
	s.number = e.p.toRoom("tea", s.text)
	e.l.says = append(e.l.says, s)
}

// moves has a listener go to another node, with what it has heard.
func (e *listener) moves(to *rig) {
	for _, s := range e.l.says {
		if s.by == e && s.settled.IsZero() {
			s.by = nil // nobody knows
		}
	}
	e.node, e.p, e.joining = to, to.join(e.name), false
	e.rejoin()
}

func (l *roomLedger) fault(from, to string, _ []byte) int {
	switch {
	case l.cut[[2]string{from, to}] || l.f.nodes[from].ended:
		return 0
	case l.lossy && l.rng.IntN(4) == 0:
		return l.rng.IntN(3)
	}
	return 1
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

func (l *roomLedger) living() (all []*rig) {
	for _, r := range l.nodes {
		if !l.f.nodes[l.nameOf(r)].ended {
			all = append(all, r)
		}
	}
	return all
}

func (l *roomLedger) one() *rig { all := l.living(); return all[l.rng.IntN(len(all))] }

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

func (l *roomLedger) divide(a, b string, cut bool) {
	l.f.mu.Lock()
	defer l.f.mu.Unlock()
	l.cut[[2]string{a, b}], l.cut[[2]string{b, a}] = cut, cut
}

// split cuts two nodes off from each other for a while; each notices that and its end in its own time.
func (l *roomLedger) split(a, b string) {
	l.divide(a, b, true)
	l.babble(time.Duration(l.rng.IntN(2000)) * time.Millisecond)
	l.told(a, b, (*fabricNode).losesIt)
	l.babble(time.Duration(l.rng.IntN(5000)) * time.Millisecond)
	l.divide(a, b, false)
	l.babble(time.Duration(l.rng.IntN(500)) * time.Millisecond)
	l.told(a, b, (*fabricNode).sees)
	l.babble(2 * time.Second)
}

func (n *fabricNode) losesIt(other *fabricNode) { n.loses(other.name) }

// told has two nodes be told something about each other, one after the other.
func (l *roomLedger) told(a, b string, what func(n, other *fabricNode)) {
	if l.rng.IntN(2) == 0 {
		a, b = b, a
	}
	for _, p := range [][2]string{{a, b}, {b, a}} {
		l.f.mu.Lock()
		what(l.f.nodes[p[0]], l.f.nodes[p[1]])
		l.f.mu.Unlock()
		l.babble(time.Duration(l.rng.IntN(800)) * time.Millisecond)
	}
}

// freeze has a node hear nothing, and be lost by the others if that is long.
func (l *roomLedger) freeze(name string, d time.Duration) {
	l.f.freeze(name, true)
	l.babble(min(d, 3*time.Second))
	lost := d > 3*time.Second
	others := func(what func(n, other *fabricNode)) {
		l.f.mu.Lock()
		defer l.f.mu.Unlock()
		for other, n := range l.f.nodes {
			if other != name && !n.ended {
				what(n, l.f.nodes[name])
			}
		}
	}
	if lost {
		others((*fabricNode).losesIt)
		l.babble(d - 3*time.Second)
	}
	l.f.freeze(name, false)
	l.babble(100 * time.Millisecond)
	if lost {
		others((*fabricNode).sees)
	}
	l.babble(time.Second)
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
	l.lossy = false
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
		l.lossy = l.rng.IntN(3) == 0
		switch what := l.rng.IntN(6); {
		case what == 0 && len(all) > 2:
			l.kill(l.homeOf("tea"))
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
	seeds := 12
	if n, err := strconv.Atoi(os.Getenv("STORMWHEEL_SEEDS")); err == nil {
		seeds = n
	}
	first, _ := strconv.Atoi(os.Getenv("STORMWHEEL_SEED"))
	for seed := first; seed < first+seeds; seed++ {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			inTown(t, 3, messaging.Config{RingMessages: 20, MessageRate: -1, JoinRate: -1, MaxDevices: -1}, func(w *town) {
				l := &roomLedger{town: w, rng: rand.New(rand.NewPCG(uint64(seed), 1)), cut: make(map[[2]string]bool), texts: make(map[envelope.Position]string)}
				w.f.mu.Lock()
				w.f.fault = l.fault
				w.f.mu.Unlock()
				for i := range 6 {
					e := &listener{l: l, name: fmt.Sprint("user", i), node: w.nodes[i%3], heard: make(map[string]time.Time)}
					e.p = e.node.join(e.name)
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
}
