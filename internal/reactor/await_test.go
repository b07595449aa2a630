package reactor

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stormwheel/stormwheel/codec"
)

// told is a ledger of outcomes by waiter.
type told map[Waiter][]Outcome

func (l told) settled(o Outcome, w Waiter) {
	o.Reason = slices.Clone(o.Reason)
	l[w] = append(l[w], o)
}

// await delivers count messages, whose waiters are their numbers.
func (n *node) await(slot Slot, from, count uint64) {
	n.t.Helper()
	for number := from; number < from+count; number++ {
		if err := n.r.DeliverAwaited(slot, []byte("x"), number); err != nil {
			n.t.Fatalf("DELIVER %d: %v", number, err)
		}
	}
	n.r.flush(slot)
}

func ackRange(first, last uint64, what uint8) []byte {
	return codec.AppendAck(nil, codec.AckMessage{Range: codec.Range{First: first, Last: last}, What: what})
}

func nackOf(t testing.TB, number uint64, code codec.NackCode, reason string) []byte {
	b, err := codec.AppendNack(nil, &codec.NackMessage{Number: number, Code: code, Reason: []byte(reason)})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestEachAwaitedDeliverHasOneOutcome(t *testing.T) {
	ledger := make(told)
	n := newNode(t, rigConfig{Handler: handler{Settled: ledger.settled}})
	slot, p := n.join()
	handle := n.r.Handle(slot)
	n.await(slot, 1, 7)
	for i, f := range frames(t, p.in) {
		if number, _, err := codec.ParseMessage(f.Payload); err != nil || number != uint64(i+1) {
			t.Fatalf("DELIVER %d has the number %d, %v", i+1, number, err)
		}
	}
	n.send(slot, ackRange(2, 3, 9))
	n.send(slot, nackOf(t, 5, codec.NackBusy, "full"))
	n.send(slot, ackRange(5, 6, 0)) // 5 was refused before
	n.send(slot, nackOf(t, 2, codec.NackRefused, ""))
	n.send(slot, codec.AppendBye(nil))
	want := map[Waiter]Outcome{
		uint64(1): {Result: Lost, End: ReasonBye},
		uint64(2): {Result: Acknowledged, What: 9},
		uint64(3): {Result: Acknowledged, What: 9},
		uint64(4): {Result: Lost, End: ReasonBye},
		uint64(5): {Result: Refused, Code: codec.NackBusy, Reason: []byte("full")},
		uint64(6): {Result: Acknowledged},
		uint64(7): {Result: Lost, End: ReasonBye},
	}
	for w, o := range want {
		o.Handle, o.Number = handle, w.(uint64)
		if got := ledger[w]; len(got) != 1 || fmt.Sprint(got[0]) != fmt.Sprint(o) {
			t.Errorf("DELIVER %v was settled by %+v, want %+v", w, got, o)
		}
	}
	if u := n.r.InUse(); len(ledger) != 7 || u != (InUse{}) {
		t.Errorf("%d outcomes of 7; in use are still %+v", len(ledger), u)
	}
	if c := n.r.counters; c.AcksIn != 2 || c.NacksIn != 2 || c.Delivers != 7 {
		t.Errorf("%d ACKs, %d NACKs and %d DELIVERs are counted", c.AcksIn, c.NacksIn, c.Delivers)
	}
}

// Who ends a session settles what is outstanding, whoever that is, before Closed is called.
func TestWhatIsOutstandingIsLostWithItsSession(t *testing.T) {
	for why, end := range map[Reason]func(n *node, slot Slot){
		ReasonPeerReset:        func(n *node, slot Slot) { n.r.Closed(slot, ReasonPeerReset) },
		ReasonHeartbeatTimeout: func(n *node, slot Slot) { n.run(2 * n.r.cfg.Timeout) },
		ReasonKicked: func(n *node, slot Slot) {
			n.r.mailbox.Close(n.r.Handle(slot), codec.CodeKicked, nil)
			n.run(n.r.cfg.Tick)
		},
		ReasonShutdown: func(n *node, slot Slot) { n.r.node.Stopping.Store(true); n.run(n.r.cfg.Tick) },
		ReasonBadMagic: func(n *node, slot Slot) { n.send(slot, []byte("garbage")) },
		ReasonSlowConsumer: func(n *node, slot Slot) {
			n.net.peers[slot].blocked = true
			for range 10 {
				_ = n.r.Deliver(slot, make([]byte, 60<<10))
				n.r.flush(slot)
			}
		},
	} {
		var order []string
		n := newNode(t, rigConfig{Handler: handler{
			Settled: func(o Outcome, _ Waiter) { order = append(order, fmt.Sprint(o.Result == Lost, " ", o.End)) },
			Closed:  func(*caller, Reason) { order = append(order, "closed") },
		}})
		slot, _ := n.join()
		n.await(slot, 1, 2)
		end(n, slot)
		lost := fmt.Sprint("true ", why)
		if want := []string{lost, lost, "closed"}; !slices.Equal(order, want) {
			t.Errorf("%v: the application was told %q, want %q", why, order, want)
		}
		if u := n.r.InUse(); u.Awaits != 0 {
			t.Errorf("%v: in use are still %+v", why, u)
		}
	}
}

// The 257th waits for an outcome, any of the others', and nobody is closed for it.
func TestTheWindowOfDelivers(t *testing.T) {
	settled := 0
	n := newNode(t, rigConfig{Handler: handler{Settled: func(Outcome, Waiter) { settled++ }}})
	slot, p := n.join()
	n.await(slot, 1, MaxAwaited)
	for range 3 {
		if err := n.r.DeliverAwaited(slot, nil, "x"); !errors.Is(err, ErrWindow) {
			t.Fatalf("one more: %v, want ErrWindow", err)
		}
	}
	if err := n.r.Deliver(slot, nil); err != nil {
		t.Errorf("one that wants no answer: %v", err)
	}
	n.send(slot, ackRange(100, 100, 0))
	if err := n.r.DeliverAwaited(slot, nil, "x"); err != nil {
		t.Errorf("with room for one: %v", err)
	}
	n.r.flush(slot)
	all := frames(t, p.in)
	if number, _, _ := codec.ParseMessage(all[len(all)-1].Payload); number != MaxAwaited+1 {
		t.Errorf("its number is %d, want %d", number, MaxAwaited+1)
	}
	if err := n.r.DeliverAwaited(slot, nil, "x"); !errors.Is(err, ErrWindow) {
		t.Errorf("and one more: %v, want ErrWindow", err)
	}
	if n.send(slot, codec.AppendPing(nil, 1, 0)); p.finished || settled != 1 {
		t.Errorf("the session ended %v, %d were settled", p.finished, settled)
	}
}

// Whoever sends the next when he is told of one has room for it, and an ACK does not settle what
// is sent while it is read.
func TestAnOutcomeMakesRoomForTheNext(t *testing.T) {
	ledger := make(told)
	var n *node
	var slot Slot
	next := uint64(MaxAwaited)
	n = newNode(t, rigConfig{MaxFrameRate: -1, Handler: handler{Settled: func(o Outcome, w Waiter) {
		ledger.settled(o, w)
		if o.Result == Acknowledged {
			next++
			if err := n.r.DeliverAwaited(slot, nil, next); err != nil {
				t.Errorf("DELIVER %d: %v", next, err)
			}
		}
	}}})
	slot, _ = n.join()
	n.await(slot, 1, MaxAwaited)
	for round := range 20 {
		n.send(slot, ackRange(0, math.MaxUint64, 0))
		if len(ledger) != (round+1)*MaxAwaited {
			t.Fatalf("round %d: %d are settled, want %d", round, len(ledger), (round+1)*MaxAwaited)
		}
	}
	n.r.Closed(slot, ReasonPeerClosed)
	for w := range uint64(21 * MaxAwaited) {
		if got := ledger[w+1]; len(got) != 1 || got[0].Number != w+1 {
			t.Fatalf("DELIVER %d: %+v", w+1, got)
		}
	}
}

// What was never sent, or is settled, or is number 0, is nobody's.
func TestAnswersToNothingSettleNothing(t *testing.T) {
	settled := 0
	n := newNode(t, rigConfig{Handler: handler{Settled: func(Outcome, Waiter) { settled++ }}})
	slot, p := n.join()
	_ = n.r.Deliver(slot, nil)
	n.await(slot, 1, 3)
	for _, b := range [][]byte{
		ackRange(0, 0, 0), ackRange(4, math.MaxUint64, 0), ackRange(math.MaxUint64, math.MaxUint64, 1),
		nackOf(t, 0, codec.NackBusy, ""), nackOf(t, 4, codec.NackBusy, ""), nackOf(t, math.MaxUint64, 1234, "no"),
	} {
		s := n.r.sessions.at(slot)
		before := s.framesUsed
		if n.send(slot, b); settled != 0 || s.framesUsed != before+1 {
			t.Fatalf("%x: %d settled, %d frames charged", b, settled, s.framesUsed-before)
		}
	}
	if n.send(slot, ackRange(0, math.MaxUint64, 0)); settled != 3 || p.finished {
		t.Errorf("%d settled by everything, ended %v", settled, p.finished)
	}
	if n.send(slot, ackRange(2, 1, 0)); goAwayCode(t, &peer{in: lastFrame(t, p.in)}) != codec.CodeProtocolError {
		t.Error("a range that goes backwards is no protocol error")
	}
}

func lastFrame(t *testing.T, b []byte) []byte {
	t.Helper()
	for {
		_, size, err := codec.Decode(b, 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		if size == len(b) {
			return b
		}
		b = b[size:]
	}
}

// A naive twin settles the same, whatever is sent and answered in whatever order.
func TestOutcomesAgreeWithANaiveTwin(t *testing.T) {
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 0))
		ledger := make(told)
		twin, open := make(map[Waiter]Result), make(map[uint64]bool)
		n := newNode(t, rigConfig{MaxFrameRate: -1, Handler: handler{Settled: ledger.settled}})
		slot, _ := n.join()
		last := uint64(0)
		settle := func(first, to uint64, how Result) {
			for number := range open {
				if number >= first && number <= to {
					delete(open, number)
					twin[number] = how
				}
			}
		}
		for range 60 {
			switch rng.IntN(3) {
			case 0:
				for range rng.IntN(100) {
					err := n.r.DeliverAwaited(slot, nil, last+1)
					if full := len(open) == MaxAwaited; full != errors.Is(err, ErrWindow) {
						t.Fatalf("seed %d: %d outstanding, %v", seed, len(open), err)
					} else if !full {
						last++
						open[last] = true
					}
				}
				n.r.flush(slot)
			case 1:
				first := rng.Uint64N(last + 3)
				to := first + rng.Uint64N(60)
				n.send(slot, ackRange(first, to, 0))
				settle(first, to, Acknowledged)
			case 2:
				number := rng.Uint64N(last + 3)
				n.send(slot, nackOf(t, number, 7, ""))
				settle(number, number, Refused)
			}
			if got := n.r.unanswered(n.r.sessions.at(slot)); got != int64(len(open)) {
				t.Fatalf("seed %d: %d outstanding, want %d", seed, got, len(open))
			}
		}
		n.r.Closed(slot, ReasonIOError)
		settle(0, math.MaxUint64, Lost)
		for w, how := range twin {
			if got := ledger[w]; len(got) != 1 || got[0].Result != how {
				t.Fatalf("seed %d: DELIVER %v: %+v, want %d", seed, w, got, how)
			}
		}
		if len(ledger) != len(twin) || n.r.InUse() != (InUse{}) {
			t.Fatalf("seed %d: %d outcomes, want %d; in use %+v", seed, len(ledger), len(twin), n.r.InUse())
		}
	}
}

// A DELIVER that is sent because of an ACK cannot be what the next ACK of the same read answers: an
// application that keeps its window full pays for no flood.
func TestAnAckIsNoAnswerToWhatHasNotLeft(t *testing.T) {
	var n *node
	var slot Slot
	n = newNode(t, rigConfig{MaxFrameRate: 10, MaxByteRate: -1, Handler: handler{Settled: func(o Outcome, w Waiter) {
		if o.Result == Acknowledged {
			_ = n.r.DeliverAwaited(slot, []byte("next"), w)
		}
	}}})
	slot, _ = n.join()
	n.await(slot, 1, 8)
	var b []byte
	for range 1000 {
		b = append(b, ackRange(1, 1<<63, 0)...)
	}
	n.send(slot, b)
	n.wantClosed(ReasonRateLimit, 1)
}

// What an application captured in a function that was told is kept by nothing.
func TestTheMailboxKeepsNoWaiters(t *testing.T) {
	n := newNode(t, rigConfig{Handler: handler{Settled: func(Outcome, Waiter) {}}})
	slot, _ := n.join()
	for range 200 {
		if err := n.r.mailbox.DeliverAwaited(n.r.Handle(slot), []byte("x"), "w"); err != nil {
			t.Fatal(err)
		}
	}
	n.turn(never)
	n.send(slot, ackRange(1, 200, 0))
	n.turn(never)
	for _, all := range [][]post{n.r.mailbox.doing[:cap(n.r.mailbox.doing)], n.r.mailbox.posts[:cap(n.r.mailbox.posts)]} {
		for i := range all {
			if all[i].waiter != nil {
				t.Fatalf("post %d keeps its waiter", i)
			}
		}
	}
}
