package reactor

import (
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

// FuzzReactor plays a peer that sends anything in any pieces, with time passing in
// between. Whatever it does, it is answered in whole frames, its connection ends at most
// once, what was sent to it has one outcome, nothing of it stays behind, and the client beside it is
// served. Its application pauses it now and then, and its grant ends and is renewed.
func FuzzReactor(f *testing.F) {
	addPeers(f)
	f.Fuzz(func(t *testing.T, input, plan []byte) {
		m := newMallory(t)
		m.play(input, plan)
		frames(t, m.p.in)
		for range 20 {
			m.n.run(10 * time.Second)
			m.n.send(m.good, codec.AppendPing(nil, 1, 0))
		}
		m.wantNothingLeft()
	})
}

// addPeers are those to begin with.
func addPeers(f *testing.F) {
	session := append(hello("mallory"), codec.AppendPing(nil, 1, 0)...)
	session = codec.AppendSend(session, 1, []byte("hello"))
	session = codec.AppendAck(session, codec.AckOf(1))
	answers := codec.AppendSend(codec.AppendSend(session, 2, []byte("a")), 0, nil)
	answers = append(answers, ackRange(2, 1<<64-1, 7)...)
	answers = append(answers, nackOf(f, 3, codec.NackBusy, "later")...)
	f.Add(answers, []byte{250})
	asking := codec.AppendRequest(codec.AppendRequest(session, codec.Send, 2, []byte("a")), codec.Send, 3, []byte("b"))
	asking = append(append(asking, replyTo(2, "c")...), replyTo(9, "d")...)
	f.Add(asking, []byte{250})
	f.Add(append(asking, replyTo(3, "e")[:20]...), []byte{30, 200})
	f.Add(append(answers, ackRange(2, 1, 0)...), []byte{70, 9})
	f.Add(session, []byte{1, 200, 3})
	paused := append(hello("mallory"), renewal(f, 1, "again")...)
	for number := range uint64(8) { // bodies of one byte pause
		paused = codec.AppendSend(paused, number+1, []byte("abc")[:number%3])
	}
	paused = append(codec.AppendPing(paused, 1, 0), renewal(f, 2, "and again")...)
	alone := byte(len(hello("mallory")) - 1)
	f.Add(paused, []byte{alone, 255})
	f.Add(paused, []byte{alone, 20})
	f.Add(codec.AppendBye(paused), []byte{alone, 70, 5})
	f.Add(codec.AppendBye(session), []byte{255})
	f.Add([]byte("GET / HTTP/1.1\r\n\r\n"), []byte{4})
	f.Add(session[:len(session)-3], []byte{0, 0, 90})
	repeats, err := codec.AppendHello(nil, &codec.HelloMessage{MinVersion: 1, MaxVersion: 1, ClientID: []byte("mallory"), Incarnation: 7, Attempt: 1})
	if err != nil {
		f.Fatal(err)
	}
	for _, number := range []uint64{1, 3, 1, 300, 45, 44, 1<<64 - 1, 300, 1<<64 - 1} {
		repeats = codec.AppendSend(repeats, number, nil)
	}
	f.Add(repeats, []byte{33, 120})
}

// mallory is a peer that sends anything, beside a good one.
type mallory struct {
	t       *testing.T
	n       *node
	good    Slot
	evil    Slot
	p       *peer // the evil one
	awaited int   // DELIVERs whose outcome is
	ledger  told
	taken   map[uint64]bool
}

func newMallory(t *testing.T) *mallory {
	m := &mallory{t: t, ledger: make(told), taken: make(map[uint64]bool)}
	n := newNode(t, rigConfig{Handler: handler{
		Opened:  func(s *caller) { _ = s.r.Extend(s.slot, s.r.wall().Add(time.Minute)) },
		Message: m.message,
		Settled: func(o Outcome, w Waiter) {
			if m.ledger.settled(o, w); len(m.ledger[w]) > 1 || o.Number != uint64(w.(int)+1) {
				t.Fatalf("DELIVER %v was settled by %+v", w, m.ledger[w])
			}
		},
	}})
	m.n = n
	m.good, _ = n.dial()
	n.send(m.good, hello("alice"))
	_ = n.r.Extend(m.good, time.Time{})
	n.r.flush(m.good)
	m.evil, m.p = n.dial()
	return m
}

// message is the application, which answers in every way.
func (m *mallory) message(s *caller, id uint64, body []byte) {
	if m.taken[id] && id != 0 && s.r.app.Origin(s.slot).Incarnation != 0 {
		m.t.Fatalf("%d is handled twice", id)
	}
	m.taken[id] = true
	if len(body) == 1 {
		_ = s.r.PauseRead(s.slot)
	}
	send := m.n.r.DeliverAwaited
	if s.wantsReply {
		send = m.n.r.Request
		s.Reply(id, body)
	}
	if send(s.slot, body, m.awaited) == nil {
		m.awaited++
	}
	s.Deliver(body)
	s.Ack(id)
	if len(body) > 3 {
		s.Close(0)
	}
}

func (m *mallory) alive() bool { return !m.p.closed && !m.p.aborted }

// play has input come in the pieces, and at the times, of plan.
func (m *mallory) play(input, plan []byte) {
	n, questions := m.n, &desk{}
	var held []byte
	need := 1
	for i := 0; len(input) > 0 && m.alive(); i++ {
		step := len(input)
		if len(plan) > 0 {
			step = min(step, 1+int(plan[i%len(plan)]))
			n.run(time.Duration(plan[i%len(plan)]) * 10 * time.Millisecond)
			n.send(m.good, codec.AppendPing(nil, 1, 0))
		}
		if !m.alive() {
			break
		}
		if ready := n.r.sessions.at(m.evil).state == stateReady; ready {
			n.r.asker = questions
			if i%3 == 2 {
				_ = n.r.ResumeRead(m.evil)
			}
			for _, q := range questions.renewals {
				n.answerTo(q, ReasonNone, time.Duration(i)*time.Second)
			}
			questions.renewals = nil
		}
		held = append(held, input[:step]...)
		input = input[step:]
		if m.p.held = len(held); len(held) < need {
			continue
		}
		var consumed int
		consumed, need = n.r.receive(n.now, m.evil, held)
		if consumed < 0 || consumed > len(held) || need < 1 || need > 12+64<<10 {
			m.t.Fatalf("consumed %d of %d, need %d", consumed, len(held), need)
		}
		if len(n.r.out) > 0 || n.r.answering != (answering{}) {
			m.t.Fatalf("%d bytes and %+v are left for the next", len(n.r.out), n.r.answering)
		}
		held = held[consumed:]
		m.p.held = len(held)
	}
}

// wantNothingLeft: of the peer, long after its last word.
func (m *mallory) wantNothingLeft() {
	n := m.n
	if m.alive() {
		m.t.Fatal("a peer that fell silent is still connected")
	}
	var closes uint64
	for _, count := range n.r.counters.Closes {
		closes += count
	}
	if closes != 1 || n.r.counters.Conns != 1 || n.r.wheel.Len() != 1 || n.r.node.Conns.Lingering() != 0 {
		m.t.Fatalf("closes %d conns %d wheel %d lingering %d, want 1, 1, 1 and 0",
			closes, n.r.counters.Conns, n.r.wheel.Len(), n.r.node.Conns.Lingering())
	}
	if err := n.r.wheel.Validate(); err != nil {
		m.t.Fatal(err)
	}
	n.unpaused()
	if u := n.r.InUse(); len(m.ledger) != m.awaited || u.Awaits != 0 {
		m.t.Fatalf("%d outcomes of %d; in use are still %+v", len(m.ledger), m.awaited, u)
	}
}
