package link

import (
	"errors"
	"fmt"
	"math"
	"testing"

	"github.com/stormwheel/stormwheel/codec"
)

// sentBy lists the numbers of the SENDs that an attempt's connection has carried.
func (r *rig) sentBy(attempt uint32) (numbers []uint64) {
	for i, f := range r.frames {
		if r.by[i] == attempt && f.Type == codec.Send {
			n, _, _ := codec.ParseMessage(f.Payload)
			numbers = append(numbers, n)
		}
	}
	return numbers
}

// outcomes tells what became of which message, in the order of the events.
func (r *rig) outcomes() (all []string) {
	for _, e := range r.events {
		switch e.Kind {
		case Acked:
			all = append(all, fmt.Sprintf("acked %d-%d as %d", e.ID, e.Last, e.What))
		case Nacked:
			all = append(all, fmt.Sprintf("nacked %d: %v", e.ID, e.Err))
		case GivenUp:
			all = append(all, fmt.Sprintf("given up %d: %v", e.ID, e.Err))
		}
	}
	return all
}

func (r *rig) ack(first, last uint64) {
	r.t.Helper()
	r.receive(codec.AppendAck(nil, codec.AckMessage{Range: codec.Range{First: first, Last: last}}))
}

func (r *rig) nack(number uint64, code codec.NackCode, reason string) {
	r.t.Helper()
	r.receive(frame(codec.AppendNack(nil, &codec.NackMessage{Number: number, Code: code, Reason: []byte(reason)})))
}

func (r *rig) want(what string, got, want any) {
	r.t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		r.t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// readyWith is like ready, with limits.
func (r *rig) readyWith(limits codec.Limits) {
	r.t.Helper()
	if r.l.State() == StateIdle {
		r.start()
	} else {
		r.tick()
	}
	r.connected()
	r.welcome(codec.WelcomeMessage{Terms: testTerms, Limits: limits})
}

func TestAcksSettleWhatIsOutstandingOnce(t *testing.T) {
	r := newRig(t, Config{})
	r.ready(testTerms)
	r.ack(1, 1) // of nothing
	for range 9 {
		r.send("x")
	}
	r.receive(codec.AppendAck(nil, codec.AckMessage{Range: codec.Range{First: 3, Last: 4}, What: 7}))
	r.ack(4, 4) // again
	r.nack(6, codec.NackBusy, "full")
	r.nack(6, codec.NackBusy, "full")
	r.ack(6, 6) // too late
	r.ack(0, 0)
	r.ack(1000, 2000) // never sent
	r.ack(2, 7)
	r.ack(0, math.MaxUint64)
	r.nack(1, 100, "")
	r.nack(math.MaxUint64, 100, "")
	r.want("outcomes", r.outcomes(), []string{"acked 3-4 as 7", `nacked 6: message is refused: busy: "full"`,
		"acked 2-2 as 0", "acked 5-5 as 0", "acked 7-7 as 0", "acked 1-1 as 0", "acked 8-9 as 0"})
	r.wantState(StateReady)
	r.want("unsettled", r.l.Info().Unsettled, 0)
	e, _ := r.last(Nacked)
	var refused *RefusedError
	if !errors.As(e.Err, &refused) || !refused.Again() || refused.Code != codec.NackBusy || refused.Reason != "full" {
		t.Errorf("Nacked = %+v", e)
	}
}

func TestWindowBlocksUntilTheOldestIsSettled(t *testing.T) {
	r := newRig(t, Config{})
	r.ready(testTerms)
	for range 256 {
		r.send("x")
	}
	full := func() {
		t.Helper()
		if _, err := r.l.Send(r.now, nil, &r.out); !errors.Is(err, ErrFull) || len(r.out.Actions) > 0 {
			t.Fatalf("Send = %v, want ErrFull", err)
		}
	}
	full()
	r.post("wants no answer")
	r.ack(2, 256)
	full() // 1 is still there
	r.disconnected(errReset, false)
	r.ready(testTerms)
	full()
	r.ack(1, 1)
	r.send("257")
	r.want("sent over the second connection", r.sentBy(2), []uint64{1, 257})
}

func TestNumberGivenUpIsBurned(t *testing.T) {
	r := newRig(t, Config{})
	r.readyWith(codec.Limits{Unsettled: 2})
	r.send("x")
	r.send("x")
	if !r.l.GiveUp(r.now, 1, &r.out) || r.l.GiveUp(r.now, 1, &r.out) || r.l.GiveUp(r.now, 3, &r.out) {
		t.Error("GiveUp is wrong about what there is to give up")
	}
	if _, err := r.l.Send(r.now, nil, &r.out); !errors.Is(err, ErrFull) {
		t.Errorf("Send = %v: the server still counts two", err)
	}
	r.ack(1, 1)
	r.send("x")
	r.want("outcomes", r.outcomes(), []string{})
	r.l.GiveUp(r.now, 3, &r.out)
	r.disconnected(errReset, false)
	r.ready(testTerms)
	r.send("x")
	r.want("sent over the second connection", r.sentBy(2), []uint64{2, 4})
	r.ack(1, 9)
	r.want("outcomes", r.outcomes(), []string{"acked 2-2 as 0", "acked 4-4 as 0"})
}

// A server that answers nothing cannot hold up for ever who does not wait for it.
func TestGivenUpBelowTheWindowCountsNoMore(t *testing.T) {
	r := newRig(t, Config{})
	r.ready(testTerms)
	for i := range uint64(1000) {
		r.send("x")
		r.l.GiveUp(r.now, i+1, &r.out)
	}
	if n := len(r.l.sends.kept); n > maxUnsettled {
		t.Errorf("%d are kept", n)
	}
	r.ack(1, 2000)
	r.want("outcomes", r.outcomes(), []string{})
}

func TestUnsettledKeepsToTheLimits(t *testing.T) {
	r := newRig(t, Config{})
	r.readyWith(codec.Limits{Unsettled: 3, UnsettledBytes: 100})
	full := func(n int) {
		t.Helper()
		if _, err := r.l.Send(r.now, make([]byte, n), &r.out); !errors.Is(err, ErrFull) {
			t.Errorf("Send of %d bytes = %v, want ErrFull", n, err)
		}
	}
	r.send(string(make([]byte, 1000))) // alone
	full(1)
	r.ack(1, 1)
	r.send(string(make([]byte, 60)))
	full(41)
	r.send(string(make([]byte, 40)))
	full(1)
	r.send("")
	full(0)
	r.ack(2, 2)
	r.send("12345678") // 3 4 5
	// Another server takes less: what it has no room for yet waits for its answers.
	r.disconnected(errReset, false)
	r.readyWith(codec.Limits{Unsettled: 2})
	r.want("sent again", r.sentBy(2), []uint64{3, 4})
	full(0)
	if err := r.l.Post(r.now, nil, &r.out); !errors.Is(err, ErrFull) {
		t.Errorf("Post = %v: what is sent again is first", err)
	}
	r.ack(4, 4)
	r.want("sent again", r.sentBy(2), []uint64{3, 4, 5})
	full(0)
	// It takes more.
	r.receive(codec.AppendPong(nil, codec.PongMessage{Terms: testTerms, Limits: codec.Limits{Unsettled: 3}}))
	if r.count(Limited) != 1 {
		t.Error("nobody is told of the new limits")
	}
	r.send("6")
	// It takes less again, than there is.
	r.receive(codec.AppendPong(nil, codec.PongMessage{Terms: testTerms, Limits: codec.Limits{Unsettled: 1}}))
	r.ack(3, 3)
	full(0)
	r.ack(5, 6)
	r.send("7")
}

func TestStopLeavesWhatIsUnsettled(t *testing.T) {
	r := newRig(t, Config{})
	r.ready(testTerms)
	r.send("one")
	r.send("two")
	r.send("three")
	r.ack(2, 2)
	r.l.Stop(r.now, &r.out)
	r.settle()
	var left []string
	r.l.EachUnsettled(func(n uint64, body []byte) { left = append(left, fmt.Sprint(n, " ", string(body))) })
	r.want("left", left, []string{"1 one", "3 three"})
}

func TestAnswersEndWithTheirConnection(t *testing.T) {
	r := newRig(t, Config{})
	r.ready(testTerms)
	r.receive(codec.AppendDeliver(nil, 1, nil))
	nack := &codec.NackMessage{Number: 1, Code: codec.NackBusy}
	if ok, err := r.l.Nack(r.now, 1, nack, &r.out); !ok || err != nil {
		t.Errorf("Nack = %v, %v", ok, err)
	}
	r.settle()
	if m, err := codec.ParseNack(r.frames[len(r.frames)-1].Payload); err != nil || m.Number != 1 || m.Code != codec.NackBusy {
		t.Errorf("NACK carries %+v, %v", m, err)
	}
	if ok, err := r.l.Nack(r.now, 1, &codec.NackMessage{Number: 1, Reason: make([]byte, 257)}, &r.out); !ok || err == nil || len(r.out.Actions) > 0 {
		t.Errorf("Nack with a reason too long = %v, %v", ok, err)
	}
	if !r.l.Ack(r.now, 1, codec.AckOf(0), &r.out) || len(r.out.Actions) > 0 {
		t.Error("number 0 is answered")
	}
	r.disconnected(errReset, false)
	if ok, _ := r.l.Nack(r.now, 1, nack, &r.out); ok || r.l.Ack(r.now, 1, codec.AckOf(1), &r.out) || len(r.out.Actions) > 0 {
		t.Error("a message of a connection that has gone is answered")
	}
}

func TestSendThatIsAcknowledgedDoesNotAllocate(t *testing.T) {
	r := newRig(t, Config{})
	r.ready(testTerms)
	body, b := make([]byte, 100), []byte(nil)
	cycle := func() {
		number, err := r.l.Send(r.now, body, &r.out)
		if err != nil {
			t.Fatal(err)
		}
		b = codec.AppendAck(b[:0], codec.AckOf(number))
		r.l.Received(r.now, 1, b, &r.out)
		r.out.Reset()
	}
	cycle()
	if n := testing.AllocsPerRun(1000, cycle); n != 0 {
		t.Errorf("%v allocations for a message, want none", n)
	}
}

// An ACK flood costs what is outstanding, not what it names.
func BenchmarkAckOfEverything(b *testing.B) {
	r := newRig(b, Config{})
	r.ready(testTerms)
	ack := codec.AppendAck(nil, codec.AckMessage{Range: codec.Range{First: 0, Last: math.MaxUint64}})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.l.Send(r.now, nil, &r.out); err != nil {
			b.Fatal(err)
		}
		r.l.Received(r.now, 1, ack, &r.out)
		r.out.Reset()
	}
}

// Bodies that were acknowledged one by one leave no more buffers than those of a range.
func TestFewBuffersAreKept(t *testing.T) {
	r := newRig(t, Config{})
	r.readyWith(codec.Limits{})
	for range 250 {
		if _, err := r.l.Send(r.now, make([]byte, 1024), &r.out); err != nil {
			t.Fatal(err)
		}
		r.settle()
	}
	for i := uint64(1); i <= 250; i++ {
		r.ack(i, i)
	}
	n := 0
	for _, m := range r.l.sends.kept[:cap(r.l.sends.kept)] {
		if cap(m.body) > 0 {
			n++
		}
	}
	if n > spareBodies {
		t.Errorf("%d buffers are kept, want %d at most", n, spareBodies)
	}
}
