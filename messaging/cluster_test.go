package messaging_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/messaging"
	"github.com/stormwheel/stormwheel/messaging/envelope"
)

func TestMessageReachesAUserOnAnotherNode(t *testing.T) {
	inTown(t, 3, messaging.Config{}, func(w *town) {
		alice, bob := w.nodes[0].join("alice"), w.nodes[1].join("bob/phone")
		n := alice.to("bob", "hi")
		e := bob.gets("hi")
		if string(e.User) != "alice" || string(e.ID.Sender) != "alice" || e.ID.Number != n {
			t.Errorf("got %+v", e)
		}
		alice.acked(n, envelope.AckDelivered)
		alice.nothing()
		bob.nothing()
	})
}

func TestMessageGoesToAllDevicesOfAllNodes(t *testing.T) {
	inTown(t, 3, messaging.Config{}, func(w *town) {
		alice, phone, pad, laptop := w.nodes[0].join("alice"), w.nodes[0].join("bob/phone"), w.nodes[1].join("bob/pad"), w.nodes[2].join("bob/laptop")
		for i, all := range [][]*peer{{phone, pad, laptop}, {laptop, phone, pad}} {
			n := alice.to("bob", fmt.Sprint(i))
			for _, p := range all {
				p.gets(fmt.Sprint(i))
			}
			alice.acked(n, envelope.AckDelivered)
		}
		alice.nothing()
	})
}

// A device here that is quick does not take from those elsewhere what they should have, too.
func TestMessageWaitsUntilItIsKnownWhereItsUserIs(t *testing.T) {
	inTown(t, 2, messaging.Config{}, func(w *town) {
		alice, phone, pad := w.nodes[0].join("alice"), w.nodes[0].join("bob/phone"), w.nodes[1].join("bob/pad")
		w.f.freeze("b", true)
		n := alice.to("bob", "a")
		w.advance(10 * time.Millisecond)
		phone.nothing()
		w.f.freeze("b", false)
		w.advance(0)
		phone.gets("a")
		pad.gets("a")
		alice.acked(n, envelope.AckDelivered)
	})
}

func TestMessageForWhoIsNowhereIsStored(t *testing.T) {
	inTown(t, 2, messaging.Config{}, func(w *town) {
		alice := w.nodes[0].join("alice")
		n := alice.to("bob", "hi")
		w.advance(0)
		alice.acked(n, envelope.AckDurable)
		bob := w.nodes[1].join("bob") // his queue is at the other node
		w.advance(0)
		bob.gets("hi")
		_, e := alice.delivered(envelope.Receipt)
		if e.State != envelope.Delivered || e.ID.Number != n {
			t.Errorf("got %+v", e)
		}
		if st := w.nodes[0].hub.Stats(); st.Queued != 0 {
			t.Errorf("still queued: %+v", st)
		}
	})
}

// The record of the user may have been forgotten: what counts is the store.
func TestQueueDrainsToALoginElsewhereMuchLater(t *testing.T) {
	inTown(t, 2, messaging.Config{}, func(w *town) {
		alice := w.nodes[0].join("alice")
		const n = 300
		for i := range n {
			alice.to("bob", fmt.Sprint(i))
			w.advance(100 * time.Millisecond)
		}
		w.advance(3 * time.Minute)
		bob := w.nodes[1].join("bob")
		for i := range n {
			bob.gets(fmt.Sprint(i))
			w.advance(0)
		}
		bob.nothing()
	})
}

func TestOneSilentUserElsewhereFillsNobodysWindow(t *testing.T) {
	inTown(t, 2, messaging.Config{}, func(w *town) {
		alice, bob, carol := w.nodes[0].join("alice"), w.nodes[1].join("bob"), w.nodes[1].join("carol")
		var numbers []uint64
		for i := range 100 {
			numbers = append(numbers, alice.to("bob", fmt.Sprint(i)))
		}
		w.advance(3500 * time.Millisecond)
		for _, n := range numbers {
			alice.acked(n, envelope.AckDurable)
		}
		n := alice.to("carol", "hi")
		carol.gets("hi")
		alice.acked(n, envelope.AckDelivered)
		for i := range 100 {
			bob.gets(fmt.Sprint(i))
			w.advance(0)
		}
		bob.nothing()
	})
}

// A user who moves gets what he has not acknowledged, in order, from its origin, before what is newer.
func TestMovedUserGetsWhatHeHasNotAcknowledged(t *testing.T) {
	inTown(t, 3, messaging.Config{}, func(w *town) {
		alice, bob := w.nodes[0].join("alice"), w.nodes[1].join("bob")
		for i := range 100 {
			alice.to("bob", fmt.Sprint(i))
		}
		w.advance(0)
		moved := w.nodes[2].join("bob")
		w.advance(0)
		if !bob.Ended() {
			t.Error("his old session lives")
		}
		alice.to("bob", "100")
		for i := range 101 {
			moved.gets(fmt.Sprint(i))
			w.advance(0)
		}
		moved.nothing()
		if st := w.nodes[0].hub.UserHere("bob"); st.Waiting.Records+st.Unacknowledged > 0 {
			t.Errorf("still waiting: %+v", st)
		}
	})
}

func TestDeadNodeOfTheAddressee(t *testing.T) {
	inTown(t, 3, messaging.Config{}, func(w *town) {
		alice, bob := w.nodes[0].join("alice"), w.nodes[1].join("bob")
		a, b := alice.to("bob", "a"), alice.to("bob", "b")
		w.advance(time.Second)
		w.f.dies("b")
		w.advance(0)
		alice.acked(a, envelope.AckDurable)
		alice.acked(b, envelope.AckDurable)
		_ = bob
		again := w.nodes[2].join("bob")
		w.advance(0)
		again.gets("a")
		again.gets("b")
		again.nothing()
	})
}

// A sender whose node died sends again what was not settled through another: the addressee, who may have it, gets it
// again, under its name.
func TestDeadOriginWhoseSenderSendsAgainElsewhere(t *testing.T) {
	inTown(t, 3, messaging.Config{}, func(w *town) {
		bob := w.nodes[1].join("bob")
		alice := w.nodes[0].node.Dial()
		hello := codec.HelloMessage{ClientID: []byte("alice"), Incarnation: 77, Attempt: 1}
		alice.Hello(hello)
		body := encode(t, envelope.Envelope{Kind: envelope.ToUser, User: []byte("bob"), Content: []byte("a")})
		n := alice.Send(body)
		w.advance(0)
		w.f.dies("a")
		w.advance(0)
		hello.Attempt++
		c := w.nodes[2].node.Dial()
		c.Hello(hello)
		again := &peer{Client: c, r: w.nodes[2]}
		again.SendAgain(n, body)
		w.advance(0)
		e := bob.gets("a")
		if e.ID.Incarnation != 77 || e.ID.Number != n {
			t.Errorf("got %+v", e)
		}
		bob.nothing() // the first copy is still under way at his node
		again.acked(n, envelope.AckDelivered)
		again.SendAgain(n, body)
		w.advance(0)
		bob.nothing()
		again.acked(n, envelope.AckDelivered)
	})
}

// What has come is known by its name, whichever node brings it the second time.
func TestCopyByAnotherNodeIsRecognised(t *testing.T) {
	inTown(t, 3, messaging.Config{}, func(w *town) {
		bob := w.nodes[1].join("bob")
		m := messaging.Message{ID: messaging.ID{Sender: "back end", Incarnation: 7, Number: 1}, From: "alice", Content: []byte("a")}
		told := make(chan messaging.Outcome, 6)
		push := func(i int) {
			if err := w.nodes[i].hub.Push("bob", m, func(o messaging.Outcome) { told <- o }); err != nil {
				t.Fatal(err)
			}
			w.advance(0)
		}
		push(0)
		push(2) // while the first is under way
		push(1)
		bob.gets("a")
		w.advance(0)
		push(2)
		push(0)
		push(1)
		bob.nothing()
		close(told)
		var got []messaging.Outcome
		for o := range told {
			got = append(got, o)
		}
		if len(got) != 6 || slices.ContainsFunc(got, func(o messaging.Outcome) bool { return o.Result != messaging.Delivered }) {
			t.Errorf("told %+v", got)
		}
	})
}

func TestApplicationElsewhereThatRefusesIsToldToTheSender(t *testing.T) {
	inTown(t, 2, messaging.Config{}, func(w *town) {
		alice, bob := w.nodes[0].join("alice"), w.nodes[1].join("bob")
		n := alice.to("bob", "a")
		number, _ := bob.delivered(envelope.Message)
		bob.Nack(number, 1234)
		alice.refused(n, 1234)
	})
}

// A sender whose node died comes to the node of the addressee, where what he sent is still under way: it is that node's
// now, which stores it.
func TestForeignMessageIsAdoptedWhenItsSenderComes(t *testing.T) {
	for _, how := range []string{"silent", "gone", "takes it"} {
		t.Run(how, func(t *testing.T) {
			inTown(t, 2, messaging.Config{}, func(w *town) {
				b := w.nodes[1]
				bob := b.join("bob")
				m := messaging.Message{ID: messaging.ID{Sender: "alice", Incarnation: 7, Number: 1}, From: "alice", Content: []byte("a")}
				if err := w.nodes[0].hub.Push("bob", m, nil); err != nil {
					t.Fatal(err)
				}
				w.advance(0)
				w.f.dies("a")
				told := make(chan messaging.Outcome, 1)
				if err := b.hub.Push("bob", m, func(o messaging.Outcome) { told <- o }); err != nil {
					t.Fatal(err)
				}
				want := messaging.Durable
				switch how {
				case "gone":
					bob.Close()
				case "takes it":
					bob.gets("a")
					want = messaging.Delivered
				}
				w.advance(4 * time.Second)
				if out := <-told; out.Result != want {
					t.Errorf("told %+v, want %v", out, want)
				}
				if how == "takes it" {
					return
				}
				again := b.join("bob")
				w.advance(time.Second)
				again.gets("a")
			})
		})
	}
}

// A node that starts with a store finds who is elsewhere.
func TestQueueOfANodeThatStartsFindsItsUser(t *testing.T) {
	inTown(t, 2, messaging.Config{}, func(w *town) {
		store := newFaulty(messaging.Bounds{})
		first := w.add(messaging.Config{}, store)
		w.advance(0)
		for i := range 3 {
			if err := first.hub.Push("bob", messaging.Message{Content: []byte(fmt.Sprint(i))}, nil); err != nil {
				t.Fatal(err)
			}
		}
		w.advance(time.Second)
		w.f.dies("c")
		bob := w.nodes[1].join("bob")
		w.advance(time.Minute)
		bob.nothing()
		w.f.untold = true
		w.add(messaging.Config{}, store)
		w.advance(2 * time.Second)
		for i := range 3 {
			bob.gets(fmt.Sprint(i))
		}
		bob.nothing()
	})
}

func TestDelayedMessageFindsItsUserElsewhere(t *testing.T) {
	inTown(t, 2, messaging.Config{}, func(w *town) {
		bob := w.nodes[1].join("bob")
		if err := w.nodes[0].hub.Push("bob", messaging.Message{Content: []byte("a"), At: time.Now().Add(time.Hour)}, nil); err != nil {
			t.Fatal(err)
		}
		w.advance(59 * time.Minute)
		bob.nothing()
		w.advance(2 * time.Minute)
		bob.gets("a")
	})
}

// Without a store there is nothing but who is online, on whichever node.
func TestClusterWithoutStores(t *testing.T) {
	inTown(t, 1, messaging.Config{}, func(w *town) {
		a := w.add(messaging.Config{}, nil)
		w.advance(0)
		alice := a.join("alice")
		alice.refused(alice.to("bob", "a"), envelope.CodeTryLater)
		bob := w.nodes[0].join("bob")
		w.advance(0)
		n := alice.to("bob", "b")
		bob.gets("b")
		alice.acked(n, envelope.AckDelivered)
	})
}

// What is known of where users are is bounded, and forgotten when it is of no use.
func TestPlacesAreForgotten(t *testing.T) {
	inTown(t, 1, messaging.Config{}, func(w *town) {
		hub := w.add(messaging.Config{MessageRate: -1}, nil).hub
		w.advance(0)
		for i := range 3 * messaging.MaxPlaces {
			if err := hub.Push(fmt.Sprint("u", i), messaging.Message{Content: []byte("a")}, nil); err != nil {
				t.Fatal(err)
			}
			if i%2000 == 0 {
				w.advance(0)
			}
		}
		w.advance(0)
		if n := hub.Places(); n == 0 || n > 2*messaging.MaxPlaces {
			t.Errorf("%d places", n)
		}
		w.advance(2 * time.Minute)
		if n := hub.Places(); n != 0 {
			t.Errorf("%d places after two minutes", n)
		}
	})
}

func TestMessageThatTheBusNeverTakesIsRefused(t *testing.T) {
	inTown(t, 2, messaging.Config{}, func(w *town) {
		w.f.most = 2000
		alice, bob := w.nodes[0].join("alice"), w.nodes[1].join("bob")
		big := alice.to("bob", string(make([]byte, 3000)))
		small := alice.to("bob", "b")
		w.advance(time.Second)
		alice.refused(big, envelope.CodeTooLarge)
		bob.gets("b")
		alice.acked(small, envelope.AckDelivered)
	})
}

// A device elsewhere keeps a message under way when the last one here goes.
func TestLastDeviceHereIsNotTheLast(t *testing.T) {
	inTown(t, 1, messaging.Config{}, func(w *town) {
		a := w.add(messaging.Config{}, nil) // without a store it would be refused
		w.advance(0)
		alice, phone, pad := a.join("alice"), a.join("bob/phone"), w.nodes[0].join("bob/pad")
		w.advance(0)
		n := alice.to("bob", "a")
		w.advance(0)
		phone.Close()
		w.advance(0)
		alice.nothing()
		pad.gets("a")
		w.advance(0)
		alice.acked(n, envelope.AckDelivered)
	})
}
