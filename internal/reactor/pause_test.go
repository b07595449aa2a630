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
func TestAPausedClientThatFloodsEndsWithRateLimit(t *testing.T) {
	for name, tt := range map[string]struct {
		cfg   rigConfig
		own   *Limits
		size  int
		first int // size of the first
		fits  uint64
	}{
		"numbers":               {rigConfig{}, nil, 10, 10, 256},
		"empty":                 {rigConfig{}, nil, 0, 0, 256},
		"bytes":                 {rigConfig{UnsettledBytes: 64 << 10, MaxFrame: 16 << 10}, nil, 8 << 10, 8 << 10, 8},
		"no bound on bytes":     {rigConfig{UnsettledBytes: -1, MaxByteRate: -1}, nil, 8 << 10, 8 << 10, 256},
		"bytes of its grant":    {rigConfig{MaxFrame: 16 << 10}, &Limits{UnsettledBytes: 32 << 10}, 8 << 10, 8 << 10, 4},
		"one that fills it all": {rigConfig{UnsettledBytes: 16 << 10, MaxFrame: 16 << 10}, nil, 1, 16<<10 - 8, 1 + 8},
	} {
		n, got := listening(t, tt.cfg)
		n.r.asker = &desk{}
		slot, p := n.grant("alice", 0, tt.own)
		n.pause(slot)
		n.r.Receive(n.now, slot, codec.AppendSend(nil, 1, make([]byte, tt.first)))
		for number := uint64(2); number <= tt.fits; number++ {
			n.r.Receive(n.now, slot, sends(number, number+1, tt.size))
		}
		if p.finished || n.r.counters.Kept == 0 {
			t.Errorf("%s: ended with %d SENDs, which it may have unsettled", name, tt.fits)
			continue
		}
		n.r.Receive(n.now, slot, sends(tt.fits+1, tt.fits+2, max(tt.size, 1)))
		if code := goAwayCode(t, p); code != codec.CodeRateLimit || len(*got) != 0 {
			t.Errorf("%s: %v after %d SENDs, %d handled; want rate_limit and none", name, code, tt.fits+1, len(*got))
		}
		n.unpaused()
	}
}

func TestWhatIsKeptCostsTheBudgetOfTheNode(t *testing.T) {
	n, _ := listening(t, rigConfig{MaxQueued: 256 << 10, UnsettledBytes: 4 << 20})
	n.r.node.Budget.Max = 1 << 20
	for range 20 {
		slot, _ := n.join()
		n.pause(slot)
		n.r.Receive(n.now, slot, sends(1, 5, 15<<10))
		n.run(n.r.cfg.Tick)
	}
	if n.r.node.Budget.Queued() > 1<<20 {
		t.Errorf("%d bytes are kept, the budget is 1 MiB", n.r.node.Budget.Queued())
	}
	if n.r.counters.Closes[ReasonQueueBudget] == 0 {
		t.Error("nobody had to go")
	}
}

// Whatever ends a paused session, nothing of it is handled after that, and nothing is left.
func TestWhatIsKeptGoesWithItsSession(t *testing.T) {
	for name, end := range map[string]func(n *node, slot Slot, p *peer){
		"BYE":       func(n *node, slot Slot, p *peer) { n.send(slot, codec.AppendBye(nil)) },
		"reset":     func(n *node, slot Slot, p *peer) { n.r.Closed(slot, ReasonPeerReset) },
		"half-open": func(n *node, slot Slot, p *peer) { n.run(n.r.cfg.Timeout + 2*n.r.cfg.Tick) },
		"garbage":   func(n *node, slot Slot, p *peer) { n.send(slot, []byte("GET / HTTP/1.1\r\n")) },
		"kicked": func(n *node, slot Slot, p *peer) {
			n.r.Mailbox().Close(n.r.Handle(slot), codec.CodeKicked)
			n.turn(never)
		},
		"superseded": func(n *node, slot Slot, p *peer) {
			n.r.runClosing(Closing{handle: n.r.Handle(slot), why: ReasonSuperseded})
		},
		"stop": func(n *node, slot Slot, p *peer) { n.r.node.Stopping.Store(true); n.turn(never) },
		"does not read": func(n *node, slot Slot, p *peer) {
			p.blocked = true
			n.r.Deliver(slot, make([]byte, 1000))
			n.r.flush(slot)
			for range 12 {
				n.run(time.Second)
				if !p.aborted {
					n.send(slot, codec.AppendPing(nil, 1, 1))
				}
			}
		},
		"memory": func(n *node, slot Slot, p *peer) {
			n.r.shedding.memory, n.r.shedding.above = true, 100
			n.r.shedOne(slot)
		},
	} {
		for _, resumed := range []bool{false, true} {
			n, got := listening(t, rigConfig{})
			slot, p := n.join()
			n.pause(slot)
			n.send(slot, sends(1, 11, 100))
			if resumed {
				n.resume(slot)
			}
			end(n, slot, p)
			n.turn(never)
			if resumed = resumed && len(*got) > 0; len(*got) != 0 && !resumed {
				t.Errorf("%s: handled %v", name, *got)
			}
			if n.r.counters.Sessions != 0 {
				t.Errorf("%s: the session goes on", name)
			}
			n.unpaused()
			// The slot's next session is not paused.
			n.r.node.Stopping.Store(false)
			next, _ := n.join()
			before := len(*got)
			if n.send(next, sends(1, 2, 1)); len(*got) != before+1 {
				t.Errorf("%s: the next session is paused", name)
			}
			if n.run(3 * time.Second); n.r.PauseRead(next) != nil {
				t.Errorf("%s: the next session cannot be paused", name)
			}
		}
	}
}

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
func TestAMessageThatWasKeptAndIsPoison(t *testing.T) {
	handled := 0
	n := newNode(t, rigConfig{Handler: handler{Message: func(s *caller, number uint64, _ []byte) {
		if handled++; number == 3 {
			s.r.Panicked()
		}
	}}})
	slot, p := n.join()
	n.pause(slot)
	n.send(slot, sends(1, 11, 100))
	n.resume(slot)
	n.turn(never)
	types := frameTypes(t, p.in)
	if handled != 3 || len(types) != 2 || types[0] != codec.Nack || goAwayCode(t, p) != codec.CodeInternal {
		t.Errorf("handled %d, answered by %v", handled, types)
	}
	n.unpaused()
}

// A peer that takes nothing is ended by what its resumed messages answer, in the middle of them.
func TestWhoDoesNotReadEndsWhileItIsReadOn(t *testing.T) {
	handled := 0
	n := newNode(t, rigConfig{MaxQueued: 128 << 10, MaxFrame: 64 << 10, Handler: handler{Message: func(s *caller, number uint64, _ []byte) {
		handled++
		_ = s.Deliver(make([]byte, 10<<10))
	}}})
	slot, p := n.join()
	n.pause(slot)
	n.send(slot, sends(1, 201, 10))
	p.blocked = true
	n.resume(slot)
	n.turn(never)
	if handled == 200 || n.r.counters.Sessions != 0 {
		t.Errorf("handled %d, and it goes on", handled)
	}
	n.r.Closed(slot, ReasonPeerReset)
	n.unpaused()
}

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
