package server

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

var alice = Sender{"alice", 7}

// inbox is a handler that notes what it is given, and leaves it open.
type inbox struct {
	mu  sync.Mutex
	all []uint64
}

func (b *inbox) handler(t *testing.T) Handler {
	return Handler{Message: func(s *Session, m Message) {
		if got := s.Sender(); got != alice {
			t.Errorf("a message of %v, want %v", got, alice)
		}
		b.mu.Lock()
		defer b.mu.Unlock()
		b.all = append(b.all, m.Number)
	}}
}

func (b *inbox) is(numbers ...uint64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Equal(b.all, numbers)
}

// senderOn has alice connect until she is on a loop, or on another one than that.
func senderOn(t *testing.T, s *Server, attempt *uint32, loop int, same bool) (w *wire, on Ref) {
	t.Helper()
	eventually(t, "a connection comes to the loop", func() bool {
		*attempt++
		w = dialNode(t, s)
		w.send(senderFrame("alice", *attempt))
		m, err := codec.ParseWelcome(w.want(codec.Welcome).Payload)
		if err != nil {
			t.Fatal(err)
		}
		on = s.Ref(m.Session)
		if loop >= 0 && (int(on.handle>>56) == loop) != same {
			w.Close()
			return false
		}
		return true
	})
	return w, on
}

func (w *wire) wantAck(first, last uint64, what uint8) {
	w.t.Helper()
	if m, err := codec.ParseAck(w.want(codec.Ack).Payload); err != nil || m.First != first || m.Last != last || m.What != what {
		w.t.Fatalf("ACK %+v, %v; want %d to %d with %d", m, err, first, last, what)
	}
}

// wantSilence holds that nothing was written to the client that was not read yet.
func (w *wire) wantSilence() {
	w.t.Helper()
	w.send(codec.AppendPing(nil, 1, 0))
	if f, err := w.next(); err != nil || f.Type != codec.Pong {
		w.t.Fatalf("%v, %v; want nothing but PONG", f.Type, err)
	}
}

// A handler settles a message when its connection and its session have gone; its client hears of it when
// it is back, on whatever loop, and the handler is not asked again.
func TestAMessageIsSettledWhenItsConnectionHasGone(t *testing.T) {
	for _, same := range []bool{true, false} {
		var box inbox
		s := startNode(t, Config{Loops: 2, Handler: box.handler(t)})
		attempt := uint32(0)
		w, on := senderOn(t, s, &attempt, -1, true)
		w.send(codec.AppendSend(codec.AppendSend(nil, 1, nil), 2, nil))
		eventually(t, "both are taken", func() bool { return box.is(1, 2) })
		w.Close()
		eventually(t, "the session is gone", func() bool { return s.Stats().Sessions == 0 })
		if err := errors.Join(s.AckRange(alice, 1, 1, 9), s.Nack(alice, 2, 1000, "no"), s.Ack(alice, 2)); err != nil {
			t.Fatal(err)
		}
		w, _ = senderOn(t, s, &attempt, int(on.handle>>56), same)
		w.send(codec.AppendSend(codec.AppendSend(nil, 1, nil), 2, nil))
		w.wantAck(1, 1, 9)
		if m, err := codec.ParseNack(w.want(codec.Nack).Payload); err != nil || m.Number != 2 || m.Code != 1000 || len(m.Reason) > 0 {
			t.Errorf("NACK %+v, %v", m, err)
		}
		eventually(t, "two repeats are counted", func() bool { st := s.Stats(); return st.RepeatsAnswered == 2 && st.TakenWindows == 1 })
		if !box.is(1, 2) {
			t.Errorf("the handler was given %v", box.all)
		}
	}
}

// What is open when the client comes by another loop is told there, in the order in which it is asked for
// among what else is asked of that session.
func TestAnOutcomeGoesToTheNewestSession(t *testing.T) {
	var box inbox
	s := startNode(t, Config{Loops: 2, Handler: box.handler(t)})
	attempt := uint32(0)
	old, on := senderOn(t, s, &attempt, -1, true)
	old.send(codec.AppendSend(codec.AppendSend(nil, 1, nil), 2, nil))
	eventually(t, "both are taken", func() bool { return box.is(1, 2) })
	w, ref := senderOn(t, s, &attempt, int(on.handle>>56), false)
	w.send(codec.AppendSend(codec.AppendSend(nil, 1, nil), 2, nil))
	w.wantSilence()
	old.send(codec.AppendSend(nil, 3, nil)) // late bytes
	if err := errors.Join(s.Deliver(ref, []byte("first")), s.Ack(alice, 1), s.Deliver(ref, []byte("second")),
		s.Nack(alice, 2, codec.NackRefused, "no"), s.Close(ref, Close{Code: codec.CodeKicked})); err != nil {
		t.Fatal(err)
	}
	for _, want := range []codec.Type{codec.Deliver, codec.Ack, codec.Deliver, codec.Nack, codec.GoAway} {
		if f, err := w.next(); err != nil || f.Type != want {
			t.Fatalf("%v, %v; want %v", f.Type, err, want)
		}
	}
	old.wantSilence()
	if !box.is(1, 2) {
		t.Errorf("the handler was given %v", box.all)
	}
}

func TestWhatIsUnknownIsAnError(t *testing.T) {
	var box inbox
	s := startNode(t, Config{Handler: box.handler(t)})
	w := joinSender(t, s, "alice", 1)
	wantErrors := func(want error, of ...Sender) {
		t.Helper()
		for _, from := range of {
			for what, err := range map[string]error{"Ack": s.Ack(from, 1), "AckRange": s.AckRange(from, 1, 9, 2), "Nack": s.Nack(from, 1, 50, "")} {
				if !errors.Is(err, want) {
					t.Errorf("%s of %v: %v, want %v", what, from, err, want)
				}
			}
		}
	}
	wantErrors(ErrUnknown, alice, Sender{}, Sender{"alice", 0}, Sender{"alice", 8}, Sender{"bob", 7})
	w.send(codec.AppendSend(nil, 1, nil))
	eventually(t, "it is taken", func() bool { return box.is(1) })
	for _, bad := range []struct {
		err, want error
	}{
		{s.AckRange(alice, 2, 1, 0), ErrRange},
		{s.Nack(alice, 1, 3, ""), ErrCode},
		{s.Nack(alice, 1, codec.NackBusy, strings.Repeat("x", 300)), codec.ErrField},
		{s.Ack(alice, 0), nil},
		{s.Ack(alice, 2), nil}, // it did not come: nothing is told, and when it comes it is new
	} {
		if !errors.Is(bad.err, bad.want) {
			t.Errorf("%v, want %v", bad.err, bad.want)
		}
	}
	w.wantSilence()
	wantErrors(nil, alice)
	w.wantAck(1, 1, 0)
	w.send(codec.AppendSend(nil, 2, nil))
	eventually(t, "2 is new", func() bool { return box.is(1, 2) })
	w.Close()
	eventually(t, "the session is gone", func() bool { return s.Stats().Sessions == 0 })
	wantErrors(nil, alice)
	if err := s.Nack(alice, 2, codec.NackBusy, "a\nb"); !errors.Is(err, codec.ErrField) {
		t.Errorf("a reason of two lines where nobody is told: %v, want ErrField", err)
	}
	s.node.Senders.Tidy(s.now() + 5*time.Minute)
	wantErrors(ErrUnknown, alice)
	if got := s.Stats().TakenWindows; got != 0 {
		t.Errorf("%d windows are left", got)
	}
}

// A word that finds no room is not lost: its message stays open, and it may be said again.
func TestABusyMailboxLeavesAMessageOpen(t *testing.T) {
	taken, release := make(chan struct{}), make(chan struct{})
	s := startNode(t, Config{Loops: 1, Handler: Handler{Message: func(*Session, Message) { close(taken); <-release }}})
	_, m := joinNode(t, s, "bob")
	w := joinSender(t, s, "alice", 1)
	ref := s.Ref(m.Session)
	w.send(codec.AppendSend(nil, 1, nil))
	<-taken
	for s.Deliver(ref, nil) == nil {
	}
	for what, err := range map[string]error{"Ack": s.Ack(alice, 1), "Nack": s.Nack(alice, 1, 50, "")} {
		if !errors.Is(err, ErrBusy) {
			t.Errorf("%s: %v, want ErrBusy", what, err)
		}
	}
	close(release)
	eventually(t, "there is room", func() bool { return s.AckRange(alice, 1, 1, 4) == nil })
	w.wantAck(1, 1, 4)
}

// A client that changes its connection all the time and sends everything again, and goroutines that settle
// what they can: each message is handled once, and its client hears of each.
func TestEachMessageIsHandledOnceOverManyConnections(t *testing.T) {
	const messages = 200
	var mu sync.Mutex
	handled := make(map[uint64]int)
	var srv *Server
	settling := make(chan uint64, messages)
	srv = startNode(t, Config{Loops: 2, MaxFrameRate: -1, Handler: Handler{Message: func(s *Session, m Message) {
		mu.Lock()
		handled[m.Number]++
		mu.Unlock()
		if m.Number%3 == 0 {
			_ = s.Ack(m.Number)
		} else {
			settling <- m.Number
		}
	}}})
	var workers sync.WaitGroup
	done := make(chan struct{})
	for range 4 {
		workers.Go(func() {
			for {
				select {
				case <-done:
					return
				case number := <-settling:
					for errors.Is(srv.Ack(alice, number), ErrBusy) {
						time.Sleep(time.Millisecond)
					}
				}
			}
		})
	}
	defer workers.Wait()
	defer close(done)
	all := make([]byte, 0, messages*20)
	for number := range uint64(messages) {
		all = codec.AppendSend(all, number+1, nil)
	}
	for attempt := uint32(1); attempt < 20; attempt++ {
		w := joinSender(t, srv, "alice", attempt)
		w.send(all[:len(all)*int(attempt)/19])
	}
	w := joinSender(t, srv, "alice", 20)
	w.send(all)
	settled := make(map[uint64]bool)
	for len(settled) < messages {
		m, err := codec.ParseAck(w.want(codec.Ack).Payload)
		if err != nil {
			t.Fatal(err)
		}
		for number := m.First; number <= m.Last; number++ {
			settled[number] = true
		}
	}
	mu.Lock()
	defer mu.Unlock()
	for number := range uint64(messages) {
		if handled[number+1] != 1 {
			t.Errorf("%d was handled %d times", number+1, handled[number+1])
		}
	}
}
