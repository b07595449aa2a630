package messaging_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/messaging"
	"github.com/stormwheel/stormwheel/messaging/envelope"
)

func TestSenderIsToldThatADeviceHasIt(t *testing.T) {
	inRig(t, messaging.Config{Store: newFaulty(messaging.Bounds{})}, func(r *rig) {
		alice, bob := r.join("alice/phone"), r.join("bob/phone")
		n := alice.to("bob", "hi")
		alice.nothing()
		e := bob.gets("hi")
		if string(e.User) != "alice" || string(e.ID.Sender) != "alice/phone" || e.ID.Number != n || e.ID.Incarnation == 0 {
			t.Errorf("got %+v", e)
		}
		alice.acked(n, envelope.AckDelivered)
		alice.nothing()
	})
}

// A slash parts a user from a device, so that no client can ever be a user whose name has one.
func TestADeviceIsNoUser(t *testing.T) {
	inRig(t, messaging.Config{Store: newFaulty(messaging.Bounds{}), OpenPresence: true}, func(r *rig) {
		alice := r.join("alice")
		alice.refused(alice.to("bob/phone", "hi"), envelope.CodeMalformed)
		for _, m := range []struct{ to, from string }{{"bob/phone", ""}, {"bob", "alice/pad"}} {
			if err := r.hub.Push(m.to, messaging.Message{From: m.from}, nil); !errors.Is(err, messaging.ErrName) {
				t.Errorf("to %s from %q: %v", m.to, m.from, err)
			}
		}
		if _, err := r.hub.PushRoom(t.Context(), "tea/green", messaging.Message{From: "alice/pad"}); !errors.Is(err, messaging.ErrName) {
			t.Errorf("to a room: %v", err)
		}
		if _, err := r.hub.Broadcast(t.Context(), messaging.Message{From: "alice/pad"}); !errors.Is(err, messaging.ErrName) {
			t.Errorf("to all: %v", err)
		}
		if st := r.hub.Stats(); st.Queued != 0 {
			t.Errorf("something was stored: %+v", st)
		}
	})
}

func TestAckWordIsThatOfTheStore(t *testing.T) {
	for _, durable := range []bool{true, false} {
		store := newFaulty(messaging.Bounds{})
		store.durable = durable
		inRig(t, messaging.Config{Store: store}, func(r *rig) {
			alice := r.join("alice")
			n := alice.to("bob", "hi")
			if durable {
				alice.acked(n, envelope.AckDurable)
			} else {
				alice.acked(n, envelope.AckHeld)
			}
		})
	}
}

func TestWithoutAStoreAnAbsentAddresseeIsRefused(t *testing.T) {
	inRig(t, messaging.Config{}, func(r *rig) {
		alice := r.join("alice")
		alice.refused(alice.to("bob", "hi"), envelope.CodeTryLater)
		bob := r.join("bob")
		n := alice.to("bob", "hi")
		r.node.Advance(4 * time.Second)
		alice.refused(n, envelope.CodeTryLater) // he is silent
		bob.gets("hi")
	})
}

func TestSecondDeviceGetsWhatTheFirstHasNotAcknowledged(t *testing.T) {
	inRig(t, messaging.Config{Store: newFaulty(messaging.Bounds{})}, func(r *rig) {
		alice, phone := r.join("alice"), r.join("bob/phone")
		a, b := alice.to("bob", "a"), alice.to("bob", "b")
		phone.gets("a")
		alice.acked(a, envelope.AckDelivered)
		laptop := r.join("bob/laptop")
		laptop.gets("b")
		alice.acked(b, envelope.AckDelivered)
		phone.gets("b") // both have it, and one answer counts
		c := alice.to("bob", "c")
		laptop.gets("c")
		phone.gets("c")
		alice.acked(c, envelope.AckDelivered)
		phone.nothing()
		laptop.nothing()
		alice.nothing()
	})
}

func TestADeviceThatMissedWhatAnotherTookIsNotServedIt(t *testing.T) {
	inRig(t, messaging.Config{Store: newFaulty(messaging.Bounds{})}, func(r *rig) {
		alice, phone := r.join("alice"), r.join("bob/phone")
		alice.to("bob", "a")
		phone.gets("a")
		r.join("bob/laptop").nothing()
	})
}

func TestApplicationThatRefusesIsToldToTheSender(t *testing.T) {
	inRig(t, messaging.Config{Store: newFaulty(messaging.Bounds{})}, func(r *rig) {
		alice, bob := r.join("alice"), r.join("bob")
		n := alice.to("bob", "a")
		number, _ := bob.delivered(envelope.Message)
		bob.Nack(number, 1234)
		alice.refused(n, 1234)

		n = alice.to("bob", "b") // for now: it is kept, and comes again
		number, _ = bob.delivered(envelope.Message)
		bob.Nack(number, codec.NackBusy)
		alice.acked(n, envelope.AckDurable)
		for range 2 {
			r.node.Advance(2 * time.Second)
			number, _ = bob.delivered(envelope.Message)
			bob.Nack(number, codec.NackBusy)
		}
		r.node.Advance(2 * time.Second)
		bob.gets("b")
		_, e := alice.delivered(envelope.Receipt)
		if e.State != envelope.Delivered {
			t.Errorf("got %+v", e)
		}
	})
}

func TestCopiesAreRecognised(t *testing.T) {
	store := newFaulty(messaging.Bounds{})
	inRig(t, messaging.Config{Store: store}, func(r *rig) {
		alice, bob := r.join("alice"), r.join("bob")
		body := encode(t, envelope.Envelope{Kind: envelope.ToUser, User: []byte("bob"), Content: []byte("a")})
		n := alice.Send(body)
		again := alice.back()
		again.SendAgain(n, body) // while the first is in work
		bob.gets("a")
		bob.nothing()
		again.acked(n, envelope.AckDelivered)
		again.SendAgain(n, body) // after
		again.acked(n, envelope.AckDelivered)
		bob.nothing()
	})
}

func TestPushedCopiesAreRecognised(t *testing.T) {
	store := newFaulty(messaging.Bounds{})
	inRig(t, messaging.Config{Store: store}, func(r *rig) {
		bob := r.join("bob")
		var got []messaging.Outcome
		push := func(user string) {
			err := r.hub.Push(user, messaging.Message{ID: messaging.ID{Sender: "shop", Incarnation: 7, Number: 1}, Content: []byte("a")},
				func(o messaging.Outcome) { got = append(got, o) })
			if err != nil {
				t.Fatal(err)
			}
			r.node.Settle()
		}
		push("bob")
		push("bob")
		bob.gets("a")
		push("bob")
		bob.nothing()
		if len(got) != 3 || got[0].Device != "bob" {
			t.Fatalf("got %+v", got)
		}
		for _, o := range got {
			if o.Result != messaging.Delivered {
				t.Errorf("got %+v", o)
			}
		}
		got = nil
		push("carol") // the same name to somebody else is another message
		push("carol")
		if len(got) != 2 || got[0].Result != messaging.Durable || got[1].Result != messaging.Durable || store.Waiting("carol").Records != 1 {
			t.Errorf("got %+v, stored %+v", got, store.Waiting("carol"))
		}
	})
}

func TestPushTellsEachOutcomeOnce(t *testing.T) {
	store := newFaulty(messaging.Bounds{UserRecords: 1})
	inRig(t, messaging.Config{Store: store}, func(r *rig) {
		var got []messaging.Outcome
		told := func(o messaging.Outcome) { got = append(got, o) }
		want := func(what messaging.Result) {
			t.Helper()
			r.node.Settle()
			if len(got) != 1 || got[0].Result != what || got[0].ID.Sender != "node" {
				t.Fatalf("got %+v, want %v", got, what)
			}
			got = nil
		}
		push := func(user, text string) {
			if err := r.hub.Push(user, messaging.Message{Content: []byte(text), Life: time.Hour}, told); err != nil {
				t.Fatal(err)
			}
		}
		push("bob", "a")
		want(messaging.Durable)
		push("bob", "b")
		r.node.Settle()
		var refusal *messaging.Refusal
		if len(got) != 1 || !errors.As(got[0].Err, &refusal) || !refusal.Again() {
			t.Fatalf("got %+v", got)
		}
		got = nil
		bob := r.join("bob")
		bob.gets("a")
		if len(got) != 0 {
			t.Fatalf("told again: %+v", got)
		}
		push("bob", "c")
		bob.gets("c")
		want(messaging.Delivered)
		if err := r.hub.Push("", messaging.Message{}, nil); !errors.Is(err, messaging.ErrName) {
			t.Errorf("got %v", err)
		}
		if err := r.hub.Push("bob", messaging.Message{Content: make([]byte, 1<<20)}, nil); !errors.As(err, &refusal) || refusal.Again() {
			t.Errorf("got %v", err)
		}
	})
}

func TestRefusals(t *testing.T) {
	inRig(t, messaging.Config{Store: newFaulty(messaging.Bounds{}), MaxContent: 100, Life: time.Hour}, func(r *rig) {
		alice := r.join("alice")
		for _, c := range []struct {
			what string
			e    envelope.Envelope
			code codec.NackCode
		}{
			{"large", envelope.Envelope{Kind: envelope.ToUser, User: []byte("bob"), Content: []byte(strings.Repeat("x", 101))}, envelope.CodeTooLarge},
			{"late", envelope.Envelope{Kind: envelope.ToUser, User: []byte("bob"), At: time.Now().Add(2 * time.Hour)}, envelope.CodeTooLate},
			{"of nodes", envelope.Envelope{Kind: envelope.Gap, Room: []byte("r"), Position: envelope.Position{Epoch: 1}}, envelope.CodeMalformed},
			{"no reply", envelope.Envelope{Kind: envelope.Ask, Question: envelope.OnlineUsers}, envelope.CodeMalformed},
		} {
			n := alice.say(c.e)
			t.Log(c.what)
			alice.refused(n, c.code)
		}
		alice.refused(alice.Send([]byte("hello")), envelope.CodeMalformed)
	})
}

func TestRateOfMessages(t *testing.T) {
	inRig(t, messaging.Config{MessageRate: 2}, func(r *rig) {
		alice, bob := r.join("alice/1"), r.join("alice/2") // of one user
		for range 4 {
			alice.refused(alice.to("x", "a"), envelope.CodeTryLater)
			bob.refused(bob.to("x", "a"), envelope.CodeTryLater)
		}
		alice.refused(alice.to("x", "a"), envelope.CodeRate)
		bob.refused(bob.to("x", "a"), envelope.CodeRate)
		r.node.Advance(time.Second)
		alice.refused(alice.to("x", "a"), envelope.CodeTryLater)
	})
}

// A device that comes back is in all its rooms at once; then its user has the rate.
func TestRateOfJoins(t *testing.T) {
	inRig(t, messaging.Config{JoinRate: 1, MaxRooms: 30, MaxWatches: 10}, func(r *rig) {
		alice := r.join("alice")
		for i := range 40 {
			alice.joins(fmt.Sprint(i%30), envelope.Position{})
		}
		join := envelope.Envelope{Kind: envelope.Join, Room: []byte("0")}
		alice.refused(alice.say(join), envelope.CodeRate)
		r.node.Advance(1100 * time.Millisecond)
		alice.joins("0", envelope.Position{})
		alice.refused(alice.say(join), envelope.CodeRate)
		alice.acked(alice.say(envelope.Envelope{Kind: envelope.Leave, Room: []byte("0")}), envelope.AckTaken)
	})
}

func TestOldestOfTooManyDevicesEnds(t *testing.T) {
	inRig(t, messaging.Config{MaxDevices: 2}, func(r *rig) {
		first := r.join("bob/1")
		r.join("bob/2")
		r.join("bob/3")
		first.ExpectGoAway(codec.CodeReplaced)
	})
}

func TestBroadcast(t *testing.T) {
	inRig(t, messaging.Config{}, func(r *rig) {
		alice, bob := r.join("alice"), r.join("bob")
		if _, err := r.hub.Broadcast(t.Context(), messaging.Message{Content: []byte("all")}); err != nil {
			t.Fatal(err)
		}
		r.node.Settle()
		for _, p := range []*peer{alice, bob} {
			if n, e := p.delivered(envelope.Message); n != 0 || string(e.Content) != "all" {
				t.Errorf("got %d %+v", n, e)
			}
		}
	})
}

func TestSendWithoutANumberIsDropped(t *testing.T) {
	inRig(t, messaging.Config{}, func(r *rig) {
		bob := r.join("bob")
		alice := r.join("alice")
		alice.SendAgain(0, encode(t, envelope.Envelope{Kind: envelope.ToUser, User: []byte("bob"), Content: []byte("a")}))
		bob.nothing()
		alice.nothing()
	})
}

// A hub that is closed while its store stalls leaves nobody waiting for an outcome.
func TestCloseTellsAllOutcomes(t *testing.T) {
	store := newFaulty(messaging.Bounds{})
	inRig(t, messaging.Config{Store: store}, func(r *rig) {
		store.stall() // for good
		told := 0
		for _, text := range []string{"with the store", "behind it"} {
			if err := r.hub.Push("bob", messaging.Message{Content: []byte(text)}, func(o messaging.Outcome) {
				if told++; o.Result != messaging.Refused {
					t.Errorf("%s: %+v", text, o)
				}
			}); err != nil {
				t.Fatal(err)
			}
			r.node.Settle()
		}
		ctx, cancel := context.WithTimeout(r.t.Context(), time.Second)
		defer cancel()
		if err := r.hub.Close(ctx); err == nil {
			t.Error("Close has not waited for the store")
		}
		if told != 2 {
			t.Errorf("%d of 2 were told", told)
		}
	})
}

// The first copy has been under way for long, and nobody wanted to know.
func TestACopyOfWhatNobodyWaitsForIsSettled(t *testing.T) {
	store := newFaulty(messaging.Bounds{})
	inRig(t, messaging.Config{Store: store}, func(r *rig) {
		goOn := store.stall()
		defer goOn()
		m := messaging.Message{ID: messaging.ID{Sender: "app", Incarnation: 1, Number: 1}, Content: []byte("x")}
		if err := r.hub.Push("bob", m, nil); err != nil {
			t.Fatal(err)
		}
		r.node.Advance(10 * time.Second)
		var told []messaging.Outcome
		if err := r.hub.Push("bob", m, func(o messaging.Outcome) { told = append(told, o) }); err != nil {
			t.Fatal(err)
		}
		r.node.Advance(5 * time.Second)
		if len(told) != 1 {
			t.Errorf("told %+v", told)
		}
	})
}

func TestABroadcastComesFromAUser(t *testing.T) {
	inRig(t, messaging.Config{}, func(r *rig) {
		if _, err := r.hub.Broadcast(t.Context(), messaging.Message{From: "a\nb", Content: []byte("x")}); !errors.Is(err, messaging.ErrName) {
			t.Errorf("a name with a control character: %v", err)
		}
	})
}
