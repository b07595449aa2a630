package reactor

import (
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

// What is kept of clients that send, and for how long.

// Five minutes after its last session a sender is forgotten, also with what is open: whoever comes
// later is new.
func TestWhatIsForgottenIsNew(t *testing.T) {
	l := &ledger{}
	n := newNode(t, rigConfig{Handler: l.handler()})
	slot, _ := n.sender(1)
	n.sends(slot, 1)
	n.r.Closed(slot, ReasonPeerReset)
	n.now += 4 * time.Minute
	n.r.node.Tidy(n.now)
	slot, _ = n.sender(2)
	n.sends(slot, 1)
	l.want(t, 1)
	n.r.Closed(slot, ReasonPeerReset)
	n.now += 5*time.Minute + time.Second
	n.r.node.Tidy(n.now)
	if n.r.node.Senders.Len() != 0 {
		t.Fatal("it is not forgotten")
	}
	slot, _ = n.sender(3)
	n.sends(slot, 1)
	l.want(t, 1, 1)
}

// Who tells no incarnation has no name for its messages; who sends nothing with a number costs nothing.
func TestWhoHasNoWindow(t *testing.T) {
	l := &ledger{verdict: func(s *caller, number uint64) { _ = s.Ack(number) }}
	n := newNode(t, rigConfig{Handler: l.handler()})
	nameless, p := n.hail(0, 1, nil)
	p.in = nil
	n.sends(nameless, 1, 1)
	wantWords(t, p, "ack 1-1 0", "ack 1-1 0")
	quiet, _ := n.sender(1)
	n.send(quiet, codec.AppendPing(nil, 1, 0))
	n.sends(quiet, 0, 0)
	l.want(t, 1, 1, 0, 0)
	if n.r.senders != nil || n.r.node.Senders.Len() != 0 {
		t.Errorf("a table of %d chunks, %d windows", len(n.r.senders), n.r.node.Senders.Len())
	}
}

// What a session refers to is given back with it, and is not the next tenant's.
func TestASenderIsGivenBackWithItsSession(t *testing.T) {
	l := &ledger{}
	n := newNode(t, rigConfig{Handler: l.handler()})
	for i := range uint64(100) {
		slot, _ := n.hail(i+1, 1, nil)
		n.sends(slot, 1)
		n.r.Closed(slot, ReasonPeerReset)
	}
	if u := n.r.InUse(); u != (InUse{}) || len(l.all) != 100 {
		t.Errorf("in use are %+v; %d were handled, want 100", u, len(l.all))
	}
	n.r.node.Tidy(n.now + time.Hour)
	if n.r.node.Senders.Len() != 0 {
		t.Errorf("%d windows are kept for ever", n.r.node.Senders.Len())
	}
}

// Once the window is there, a SEND, its ACK, its repeat and the answer to that allocate nothing.
func TestSendsAllocateNothing(t *testing.T) {
	n := newNode(t, rigConfig{MaxFrameRate: -1, MaxByteRate: -1})
	slot, _ := n.sender(1)
	n.r.app = acker{n.r.app, n.r}
	n.r.transport = sink{n.net}
	var b []byte
	number := uint64(0)
	send := func() {
		number++
		b = codec.AppendSend(codec.AppendSend(b[:0], number, nil), number, nil)
		n.r.receive(n.now, slot, b)
	}
	send()
	if a := testing.AllocsPerRun(1000, send); a != 0 {
		t.Errorf("%v allocations", a)
	}
	if n.r.counters.RepeatsAnswered < 1000 {
		t.Errorf("%d repeats were answered", n.r.counters.RepeatsAnswered)
	}
}

// acker is an application that acknowledges everything with a word.
type acker struct {
	App
	r *Reactor
}

func (a acker) Message(slot Slot, number uint64, _ []byte, _ bool) {
	_ = a.r.Ack(slot, ack(number, number, 2))
}
