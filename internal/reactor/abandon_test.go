package reactor

import (
	"errors"
	"fmt"
	"runtime"
	"testing"

	"github.com/stormwheel/stormwheel/codec"
)

// A posted message is settled, too, when its session is gone, or its window is full, or the loop
// has ended before it was its turn.
func TestAPostedMessageHasAnOutcome(t *testing.T) {
	ledger := make(told)
	n := newNode(t, rigConfig{Handler: handler{Settled: ledger.settled}})
	slot, _ := n.join()
	handle, m := n.r.Handle(slot), &n.r.mailbox
	post := func(w string) {
		if err := m.DeliverAwaited(handle, []byte("x"), w); err != nil {
			t.Fatal(err)
		}
	}
	post("lost")
	n.turn(never)
	n.await(slot, 2, MaxAwaited-1)
	post("window")
	n.turn(never)
	n.r.Closed(slot, ReasonPeerClosed)
	other, p := n.join()
	post("closed")
	n.turn(never)
	post("abandoned")
	n.await(other, 1000, 1)
	n.r.Abandon()
	for w, want := range map[Waiter]Outcome{
		"lost":       {Handle: handle, Number: 1, Result: Lost, End: ReasonPeerClosed},
		"window":     {Handle: handle, Result: Unsent, Err: ErrWindow},
		"closed":     {Handle: handle, Result: Unsent, Err: ErrClosed},
		"abandoned":  {Handle: handle, Result: Unsent, Err: ErrClosed},
		uint64(1000): {Handle: n.r.Handle(other), Number: 1, Result: Lost, End: ReasonShutdown},
	} {
		if got := ledger[w]; len(got) != 1 || fmt.Sprint(got[0]) != fmt.Sprint(want) {
			t.Errorf("%v: %+v, want %+v", w, got, want)
		}
	}
	if types := frameTypes(t, p.in); len(types) != 1 || n.r.counters.Stale != 1 {
		t.Errorf("another session got %v; %d stale", types, n.r.counters.Stale)
	}
	for _, err := range []error{m.DeliverAwaited(handle, nil, "late"), m.Deliver(handle, nil), m.Ack(handle, codec.AckOf(1))} {
		if !errors.Is(err, ErrClosed) {
			t.Errorf("a post to a loop that has ended: %v, want ErrClosed", err)
		}
	}
	if len(ledger["late"]) != 0 {
		t.Error("what was not accepted has an outcome")
	}
}

// Who is told in the end, and ends his goroutine, costs no other his outcome, and is told once.
func TestAnAbandonThatWasEndedGoesOn(t *testing.T) {
	ledger := make(told)
	n := newNode(t, rigConfig{Handler: handler{Settled: func(o Outcome, w Waiter) {
		ledger.settled(o, w)
		if w == Waiter(uint64(2)) {
			runtime.Goexit()
		}
	}}})
	slot, _ := n.join()
	n.await(slot, 1, 3)
	for range 2 {
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			n.r.Abandon()
		}()
		<-ended
	}
	for w := range uint64(3) {
		if got := ledger[w+1]; len(got) != 1 || got[0].Number != w+1 {
			t.Errorf("DELIVER %d: %+v", w+1, got)
		}
	}
	if len(ledger) != 3 {
		t.Errorf("%d were told, want 3: %v", len(ledger), ledger)
	}
}

// Outcomes that are told in the end are the last: nothing is sent in them that nobody settles.
func TestNothingIsSentWhereALoopIsAbandoned(t *testing.T) {
	ledger := make(told)
	var n *node
	var slot Slot
	n = newNode(t, rigConfig{Handler: handler{Settled: func(o Outcome, w Waiter) {
		ledger.settled(o, w)
		if err := n.r.DeliverAwaited(slot, []byte("again"), 100); !errors.Is(err, ErrClosed) {
			t.Errorf("DeliverAwaited: %v, want ErrClosed", err)
		}
	}}})
	slot, _ = n.join()
	n.await(slot, 1, 1)
	n.r.Abandon()
	if u := n.r.InUse(); u.Awaits != 0 || len(ledger) != 1 {
		t.Errorf("%d outcomes are told, %d left", len(ledger), u.Awaits)
	}
}
