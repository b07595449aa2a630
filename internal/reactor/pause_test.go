package reactor

import (
	"slices"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

// sends are SENDs of these numbers, the last not included, each with a body of so many bytes.

func sends(from, to uint64, size int) (b []byte) {
	for n := from; n < to; n++ {
		b = codec.AppendSend(b, n, make([]byte, size))
	}
	return b
}

// listening is a node that keeps the numbers of what its handler has got.

func listening(t testing.TB, cfg rigConfig) (*node, *[]uint64) {
	got := new([]uint64)
	cfg.Handler.Message = func(s *caller, number uint64, body []byte) {
		*got = append(*got, number)
		_ = s.Ack(number)
	}
	return newNode(t, cfg), got
}

func upTo(n uint64) (all []uint64) {
	for i := range n {
		all = append(all, i+1)
	}
	return all
}

func (n *node) pause(slot Slot) {
	n.t.Helper()
	if err := n.r.PauseRead(slot); err != nil {
		n.t.Fatal(err)
	}
}

func (n *node) resume(slot Slot) {
	n.t.Helper()
	if err := n.r.ResumeRead(slot); err != nil {
		n.t.Fatal(err)
	}
}

// unpaused checks that nothing is left of a pause.

func (n *node) unpaused() {
	n.t.Helper()
	if used := n.r.InUse(); used.Kept != 0 || n.r.counters.Kept != 0 || n.r.counters.Paused != 0 || n.r.node.Budget.Queued() != 0 || n.r.resumed.len() != 0 {
		n.t.Errorf("%d entries, %d bytes, %d paused, %d of the budget and %d to be resumed are left", used.Kept, n.r.counters.Kept,
			n.r.counters.Paused, n.r.node.Budget.Queued(), n.r.resumed.len())
	}
}

func TestAPausedSessionIsReadButItsSendsWait(t *testing.T) {
	n, got := listening(t, rigConfig{})
	settled := 0
	n.r.app.(*stage).handler.Settled = func(Outcome, Waiter) { settled++ }
	slot, p := n.join()
	n.r.DeliverAwaited(slot, nil, "x")
	n.r.DeliverAwaited(slot, nil, "y")
	n.r.flush(slot)
	p.in = nil
	n.pause(slot)
	n.pause(slot)
	b := sends(1, 4, 10)
	b = codec.AppendPing(b, 7, 1)
	b = codec.AppendAck(b, codec.AckOf(1))
	b, _ = codec.AppendNack(b, &codec.NackMessage{Number: 2, Code: codec.NackRefused})
	n.send(slot, append(b, sends(4, 6, 10)...))
	if len(*got) != 0 || settled != 2 || n.r.counters.Paused != 1 {
		t.Fatalf("handled %v, settled %d, %d paused", *got, settled, n.r.counters.Paused)
	}
	if got := pongs(t, p); len(got) != 1 || got[0].Token != 7 {
		t.Fatalf("PING is answered by %+v", got)
	}
	if n.r.counters.Kept != 5*(18+keptCost) || n.r.node.Budget.Queued() != n.r.counters.Kept {
		t.Errorf("%d bytes are kept, %d of the budget", n.r.counters.Kept, n.r.node.Budget.Queued())
	}
	n.resume(slot)
	n.resume(slot)
	if len(*got) != 0 {
		t.Fatal("handled within ResumeRead")
	}
	n.send(slot, sends(6, 8, 10)) // behind what is kept
	if len(*got) != 0 {
		t.Fatalf("%v overtake what is kept", *got)
	}
	if more := n.turn(never); more || !slices.Equal(*got, upTo(7)) {
		t.Fatalf("handled %v, more %v; want 1 to 7", *got, more)
	}
	if acks := acksIn(t, p); !slices.Equal(acks, []codec.AckMessage{ack(1, 7, 0)}) {
		t.Errorf("acknowledged %v, want one range", acks)
	}
	n.unpaused()
	n.send(slot, sends(8, 9, 10))
	if !slices.Equal(*got, upTo(8)) {
		t.Errorf("handled %v: a SEND after the pause waits", *got)
	}
}

// PauseRead takes effect at once: what stands behind a SEND in the same read is kept.

func TestPausedInTheMiddleOfARead(t *testing.T) {
	var got []uint64
	pauseAt := map[uint64]bool{10: true, 50: true, 51: true, 100: true}
	n := newNode(t, rigConfig{Handler: handler{Message: func(s *caller, number uint64, _ []byte) {
		got = append(got, number)
		if pauseAt[number] {
			if err := s.r.PauseRead(s.slot); err != nil {
				t.Error(err)
			}
		}
	}}})
	slot, p := n.join()
	n.send(slot, codec.AppendPing(sends(1, 101, 100), 1, 1))
	for _, want := range []uint64{10, 50, 51, 100} {
		if !slices.Equal(got, upTo(want)) {
			t.Fatalf("handled %v, want 1 to %d", got, want)
		}
		if n.turn(never); len(got) != int(want) {
			t.Fatal("handled though it is paused")
		}
		n.resume(slot)
		n.turn(never)
	}
	if len(got) != 100 || len(pongs(t, p)) != 1 {
		t.Errorf("handled %d", len(got))
	}
	n.unpaused()
}

// Paused and resumed in one callback is no pause, wherever that is.

func TestAPauseThatIsOverAtOnce(t *testing.T) {
	var got []uint64
	n := newNode(t, rigConfig{Handler: handler{Message: func(s *caller, number uint64, _ []byte) {
		got = append(got, number)
		s.r.PauseRead(s.slot)
		s.r.ResumeRead(s.slot)
	}}})
	slot, _ := n.join()
	n.send(slot, sends(1, 10, 1))
	if !slices.Equal(got, upTo(9)) {
		t.Fatalf("handled %v", got)
	}
	n.unpaused()
	n.pause(slot)
	n.send(slot, sends(10, 20, 1))
	n.resume(slot)
	n.turn(never)
	if !slices.Equal(got, upTo(19)) {
		t.Fatalf("handled %v", got)
	}
	n.unpaused()
}

// A client is told how much may be unsettled, in numbers and bytes; one that sends more ends.

// Whatever ends a paused session, nothing of it is handled after that, and nothing is left.

// A paused session is drained as any: it is told, answers go on, and BYE ends it.

func TestAPausedSessionIsDrained(t *testing.T) {
	n, got := listening(t, rigConfig{Alternates: []string{"b:1"}})
	slot, p := n.join()
	n.pause(slot)
	n.send(slot, sends(1, 11, 100))
	n.r.node.Drain.Begin()
	n.r.node.Drain.SetPace(1000, 1, time.Second)
	n.run(time.Second)
	if code := goAwayCode(t, p); code != codec.CodeDraining || p.finished {
		t.Fatalf("told %v", code)
	}
	n.resume(slot)
	n.turn(never)
	if !slices.Equal(*got, upTo(10)) {
		t.Errorf("handled %v", *got)
	}
	n.pause(slot)
	n.send(slot, sends(11, 12, 1))
	n.send(slot, codec.AppendBye(nil))
	if n.r.counters.Moved != 1 || len(*got) != 10 {
		t.Errorf("%d moved, handled %v", n.r.counters.Moved, *got)
	}
	n.unpaused()
}

// To be resumed is work of a turn, within its time, and each session has its own order.

func TestWhoIsResumedIsReadWithinTheTimeOfATurn(t *testing.T) {
	n, got := listening(t, rigConfig{})
	var slots []Slot
	for range 10 {
		slot, _ := n.join()
		n.pause(slot)
		n.send(slot, sends(1, 101, 10))
		n.resume(slot)
		slots = append(slots, slot)
	}
	turns := 0
	for more := true; more && turns < 1000; turns++ {
		before := len(*got)
		more = n.turn(func() bool { return true })
		if done := len(*got) - before; done > 16 || more && done == 0 {
			t.Fatalf("a turn whose time is over handles %d", done)
		}
	}
	if len(*got) != 1000 || turns < 50 {
		t.Errorf("handled %d in %d turns", len(*got), turns)
	}
	for i := range slots {
		if !slices.Equal((*got)[i*100:(i+1)*100], upTo(100)) {
			t.Errorf("session %d was handled in another order", i)
		}
	}
	n.unpaused()
}

// One message each of many sessions takes no more of a turn than many messages of one.

func TestManyWhoAreResumedAreReadWithinTheTimeOfATurn(t *testing.T) {
	n, got := listening(t, rigConfig{})
	for range 100 {
		slot, _ := n.join()
		n.pause(slot)
		n.send(slot, sends(1, 2, 10))
		n.resume(slot)
	}
	for more := true; more; {
		before := len(*got)
		more = n.turn(func() bool { return true })
		if done := len(*got) - before; done > 16 || more && done == 0 {
			t.Fatalf("a turn whose time is over handles %d", done)
		}
	}
	if len(*got) != 100 {
		t.Errorf("handled %d", len(*got))
	}
	n.unpaused()
}

// The handler fails at a message that was kept: it is refused, and the rest goes with the session.

// A peer that takes nothing is ended by what its resumed messages answer, in the middle of them.

func TestAPauseFromElsewhereComesInTheOrderOfThePosts(t *testing.T) {
	n, got := listening(t, rigConfig{})
	slot, _ := n.join()
	handle := n.r.Handle(slot)
	m := n.r.Mailbox()
	for range 3 {
		m.Call(handle, func(s Slot) { n.r.PauseRead(s) })
		m.Call(handle, func(s Slot) { n.r.ResumeRead(s) })
	}
	m.Call(handle, func(s Slot) { n.r.PauseRead(s) })
	n.turn(never)
	if n.send(slot, sends(1, 3, 1)); len(*got) != 0 {
		t.Fatalf("handled %v", *got)
	}
	m.Call(handle, func(s Slot) { n.r.ResumeRead(s) })
	if n.turn(never); !slices.Equal(*got, upTo(2)) {
		t.Fatalf("handled %v", *got)
	}
	n.unpaused()
	m.Call(handle+1, func(Slot) { t.Error("called for another session") })
	if n.turn(never); n.r.counters.Stale != 1 {
		t.Errorf("%d stale", n.r.counters.Stale)
	}
}

// A model: at any mixture of reads, pauses, resumes and turns, what is handled is what was sent, in

// order, and never while it is paused.

func TestPausesKeepTheOrderWhateverHappens(t *testing.T) {
	for seed := range uint64(300) {
		random := seed*2654435761 + 1
		draw := func(n uint64) uint64 {
			random ^= random << 13
			random ^= random >> 7
			random ^= random << 17
			return random % n
		}
		var got []uint64
		paused := false
		n := newNode(t, rigConfig{MaxFrameRate: -1, MaxByteRate: -1})
		n.r.app.(*stage).handler.Message = func(s *caller, number uint64, _ []byte) {
			if paused {
				t.Fatalf("seed %d: handled while paused", seed)
			}
			got = append(got, number)
			switch draw(10) {
			case 0:
				paused = true
				s.r.PauseRead(s.slot)
			case 1:
				s.r.PauseRead(s.slot)
				s.r.ResumeRead(s.slot)
			}
		}
		slot, p := n.join()
		sent := uint64(0)
		for range 200 {
			switch draw(5) {
			case 0, 1:
				if more := draw(20); sent+more-uint64(len(got)) <= 256 {
					n.send(slot, sends(sent+1, sent+1+more, int(draw(50))))
					sent += more
				}
			case 2:
				paused = true
				n.pause(slot)
			case 3:
				paused = false
				n.resume(slot)
			case 4:
				n.turn(func() bool { return draw(2) == 0 })
			}
		}
		for paused || n.turn(never) || len(got) < int(sent) {
			paused = false
			n.resume(slot)
		}
		n.resume(slot)
		if !slices.Equal(got, upTo(sent)) || p.finished {
			t.Fatalf("seed %d: handled %v of %d", seed, got, sent)
		}
		n.unpaused()
	}
}
