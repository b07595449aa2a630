package reactor

import (
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/timingwheel"
)

// A place in the queue is used up by getting in, not by a node or a token that fails meanwhile.
func TestATicketIsSpentByWelcomeOnly(t *testing.T) {
	n := newNode(t, rigConfig{AdmitRate: 0.1})
	asked := 0
	shows := func(ticket []byte) (timingwheel.ID, bool) {
		before := asked
		slot, _ := n.dial()
		b, err := codec.AppendHello(nil, &codec.HelloMessage{MinVersion: 1, MaxVersion: 1, ClientID: []byte("alice"), Ticket: ticket})
		if err != nil {
			t.Fatal(err)
		}
		n.send(slot, b)
		return slot, asked > before
	}
	answered := func(slot timingwheel.ID, why Reason) codec.GoAwayMessage {
		p := n.net.peers[slot]
		n.r.authenticated(Answer{Handle: n.r.Handle(slot), Why: why})
		_, g := answer(t, p)
		n.r.Closed(slot, ReasonPeerClosed)
		return g
	}
	var g codec.GoAwayMessage
	for g.Ticket == nil { // use up what may come at once
		_, g, _ = n.hello(codec.HelloMessage{ClientID: []byte("alice")})
	}
	ticket := g.Ticket
	n.run(g.Delay)
	n.r.asker = asks(func() { asked++ })

	for _, why := range []Reason{ReasonUnauthorized, ReasonInternal} {
		slot, in := shows(ticket)
		if !in {
			t.Fatalf("the ticket is not good before %v", why)
		}
		answered(slot, why)
	}
	slot, in := shows(ticket)
	if !in {
		t.Fatal("the ticket was spent by a token that was refused")
	}
	if _, twice := shows(ticket); twice {
		t.Fatal("one ticket lets two in at a time")
	}
	n.r.Closed(slot, ReasonPeerClosed)

	for _, why := range []Reason{ReasonBusy, ReasonTokenExpired} {
		slot, in = shows(ticket)
		if !in {
			t.Fatalf("the ticket is not good before %v", why)
		}
		g = answered(slot, why)
		if len(g.Ticket) == 0 {
			t.Fatalf("%v: a client that had its turn must stand in the queue again", why)
		}
		n.run(g.Delay + time.Millisecond)
		if _, twice := shows(ticket); twice {
			t.Fatalf("%v: the old ticket is good beside the new one", why)
		}
		ticket = g.Ticket
	}
	slot, in = shows(ticket)
	if !in {
		t.Fatal("the new ticket is not good")
	}
	answered(slot, ReasonNone)
	if _, twice := shows(ticket); twice {
		t.Error("a ticket is good twice")
	}
	n.run(time.Second)
}

// With an authenticator WELCOME takes a while, without one it does not: a client that sends
// before it must not work with some nodes only.
func TestFramesBeforeWelcomeAreRefusedByEveryNode(t *testing.T) {
	early := codec.AppendSend(hello("alice"), 1, []byte("too early"))
	for name, auth := range map[string]Asker{"with an authenticator": asks(func() {}), "without": nil} {
		handled := 0
		n := newNode(t, rigConfig{Handler: handler{Message: func(*caller, uint64, []byte) { handled++ }}})
		n.r.asker = auth
		slot, _ := n.dial()
		n.send(slot, early)
		n.wantClosed(ReasonUnexpected, 1)
		if handled != 0 {
			t.Errorf("%s: the handler got it", name)
		}
		slot, _ = n.dial()
		n.send(slot, codec.AppendBye(hello("bob")))
		n.wantClosed(ReasonBye, 1)
	}
}
