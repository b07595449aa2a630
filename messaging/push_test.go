package messaging_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/messaging"
	"github.com/stormwheel/stormwheel/messaging/envelope"
	"github.com/stormwheel/stormwheel/server"
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

func TestStoredMessageArrivesAfterLoginAndItsSenderGetsAReceipt(t *testing.T) {
	store := newFaulty(messaging.Bounds{})
	inRig(t, messaging.Config{Store: store}, func(r *rig) {
		alice := r.join("alice")
		var numbers []uint64
		for i := range 200 {
			numbers = append(numbers, alice.to("bob", fmt.Sprint(i)))
		}
		for _, n := range numbers {
			alice.acked(n, envelope.AckDurable)
		}
		bob := r.join("bob")
		for i := range 200 {
			bob.gets(fmt.Sprint(i))
			n, e := alice.delivered(envelope.Receipt)
			if e.State != envelope.Delivered || e.ID.Number != numbers[i] || string(e.User) != "bob" {
				t.Fatalf("receipt %d: %+v", i, e)
			}
			alice.Client.Ack(n)
		}
		bob.nothing()
		if w := store.Waiting("bob"); w.Records != 0 {
			t.Errorf("the store still has %+v", w)
		}
		n := alice.to("bob", "live")
		bob.gets("live")
		alice.acked(n, envelope.AckDelivered)
	})
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

func TestWhatNoDeviceAcknowledgedGoesBackToTheQueue(t *testing.T) {
	inRig(t, messaging.Config{Store: newFaulty(messaging.Bounds{})}, func(r *rig) {
		alice, bob := r.join("alice"), r.join("bob")
		var numbers []uint64
		for i := range 5 {
			numbers = append(numbers, alice.to("bob", fmt.Sprint(i)))
		}
		bob.gets("0")
		alice.acked(numbers[0], envelope.AckDelivered)
		bob.Reset()
		r.node.Settle()
		for _, n := range numbers[1:] {
			alice.acked(n, envelope.AckDurable)
		}
		bob = r.join("bob")
		for i := 1; i < 5; i++ {
			bob.gets(fmt.Sprint(i))
		}
		bob.nothing()
	})
}

func TestSilentReceiverHoldsUpNobody(t *testing.T) {
	store := newFaulty(messaging.Bounds{})
	inRig(t, messaging.Config{Store: store, MessageRate: -1}, func(r *rig) {
		alice, bob, carol := r.join("alice"), r.join("bob"), r.join("carol")
		var numbers []uint64
		for i := range 150 { // more than a window
			numbers = append(numbers, alice.to("bob", fmt.Sprint(i)))
		}
		n := alice.to("carol", "hi")
		carol.gets("hi")
		alice.acked(n, envelope.AckDelivered)
		r.node.Advance(5 * time.Second)
		for _, n := range numbers {
			alice.acked(n, envelope.AckDurable)
		}
		for i := range 150 { // what he has is not sent to him again, and the rest is
			bob.gets(fmt.Sprint(i))
		}
		bob.nothing()
		if w := store.Waiting("bob"); w.Records != 0 {
			t.Errorf("the store still has %+v", w)
		}
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

func TestStoredMessageThatIsRefusedHasAReceipt(t *testing.T) {
	inRig(t, messaging.Config{Store: newFaulty(messaging.Bounds{})}, func(r *rig) {
		alice := r.join("alice")
		alice.acked(alice.to("bob", "a"), envelope.AckDurable)
		bob := r.join("bob")
		number, _ := bob.delivered(envelope.Message)
		bob.Nack(number, 1234)
		_, e := alice.delivered(envelope.Receipt)
		if e.State != envelope.Refused || e.Code != 1234 {
			t.Errorf("got %+v", e)
		}
		bob.Close()
		r.node.Settle()
		r.join("bob").nothing()
	})
}

func TestFullQueueRefusesAndDropsNothing(t *testing.T) {
	inRig(t, messaging.Config{Store: newFaulty(messaging.Bounds{UserRecords: 3})}, func(r *rig) {
		alice := r.join("alice")
		for i := range 3 {
			alice.acked(alice.to("bob", fmt.Sprint(i)), envelope.AckDurable)
		}
		alice.refused(alice.to("bob", "3"), envelope.CodeQueueFull)
		alice.acked(alice.to("carol", "x"), envelope.AckDurable)
		bob := r.join("bob")
		for i := range 3 {
			bob.gets(fmt.Sprint(i))
		}
		bob.nothing()
	})
}

func TestStalledStoreRefusesWithin5sAndKeepsNothingThatItRefused(t *testing.T) {
	store := newFaulty(messaging.Bounds{})
	inRig(t, messaging.Config{Store: store}, func(r *rig) {
		alice, carol := r.join("alice"), r.join("carol")
		goOn := store.stall()
		n := alice.to("bob", "a")
		for range 4 { // others go on
			r.node.Advance(time.Second)
			m := alice.to("carol", "x")
			carol.gets("x")
			alice.acked(m, envelope.AckDelivered)
		}
		r.node.Advance(900 * time.Millisecond)
		alice.refused(n, envelope.CodeTryLater)
		goOn()
		r.node.Settle()
		if w := store.Waiting("bob"); w.Records != 0 {
			t.Errorf("it has %+v", w)
		}
		r.join("bob").nothing()
		n = alice.to("bob", "b")
		bob := r.join("bob/2")
		bob.gets("b")
		alice.acked(n, envelope.AckDelivered)
	})
}

func TestMessageOfASilentDeviceIsTakenWhileTheStoreIsStalled(t *testing.T) {
	store := newFaulty(messaging.Bounds{})
	inRig(t, messaging.Config{Store: store}, func(r *rig) {
		alice, bob := r.join("alice"), r.join("bob")
		goOn := store.stall()
		n := alice.to("bob", "a")
		r.node.Advance(3500 * time.Millisecond) // it is being stored
		bob.gets("a")
		alice.acked(n, envelope.AckDelivered)
		goOn()
		r.node.Settle()
		if w := store.Waiting("bob"); w.Records != 0 {
			t.Errorf("it has %+v", w)
		}
		alice.nothing()
		bob.nothing()
	})
}

func TestPutRacesWithALogin(t *testing.T) {
	store := newFaulty(messaging.Bounds{})
	inRig(t, messaging.Config{Store: store}, func(r *rig) {
		alice := r.join("alice")
		goOn := store.stall()
		a := alice.to("bob", "a")
		bob := r.join("bob")
		b := alice.to("bob", "b") // behind what is being stored
		bob.nothing()
		goOn()
		r.node.Settle()
		alice.acked(a, envelope.AckDurable)
		bob.gets("a")
		bob.gets("b")
		alice.acked(b, envelope.AckDurable)
		alice.delivered(envelope.Receipt)
		alice.delivered(envelope.Receipt)
		c := alice.to("bob", "c")
		bob.gets("c")
		alice.acked(c, envelope.AckDelivered)
	})
}

func TestFailingStoreRefuses(t *testing.T) {
	store := newFaulty(messaging.Bounds{})
	inRig(t, messaging.Config{Store: store}, func(r *rig) {
		alice := r.join("alice")
		store.failWith(errors.New("disk full"))
		alice.refused(alice.to("bob", "a"), envelope.CodeTryLater)
		store.failWith(nil)
		alice.acked(alice.to("bob", "b"), envelope.AckDurable)
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

func TestExpiredMessageIsNotDelivered(t *testing.T) {
	store := newFaulty(messaging.Bounds{})
	inRig(t, messaging.Config{Store: store}, func(r *rig) {
		alice := r.join("alice")
		alice.acked(alice.say(envelope.Envelope{Kind: envelope.ToUser, User: []byte("bob"), Content: []byte("a"), Life: time.Minute}), envelope.AckDurable)
		alice.acked(alice.to("bob", "b"), envelope.AckDurable)
		r.node.Advance(2 * time.Minute)
		bob := r.join("bob")
		bob.gets("b")
		bob.nothing()
		_, e := alice.delivered(envelope.Receipt)
		if e.State != envelope.Expired {
			t.Errorf("got %+v", e)
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

func TestOldestOfTooManyDevicesEnds(t *testing.T) {
	inRig(t, messaging.Config{MaxDevices: 2}, func(r *rig) {
		first := r.join("bob/1")
		r.join("bob/2")
		r.join("bob/3")
		first.ExpectGoAway(codec.CodeReplaced)
	})
}

func TestRestartedNodeDeliversWhatItsStoreHas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newFaulty(messaging.Bounds{})
		r := newRig(t, messaging.Config{Store: store}, server.Config{})
		alice := r.join("alice")
		alice.acked(alice.to("bob", "a"), envelope.AckDurable)
		time.Sleep(10 * time.Minute)
		r = newRig(t, messaging.Config{Store: store}, server.Config{})
		if e := r.join("bob").gets("a"); e.Flags&envelope.PossiblyKnown == 0 {
			t.Errorf("it is not marked: %+v", e)
		}
		r.node.Settle()
		_, e := r.join("alice").delivered(envelope.Receipt)
		if e.State != envelope.Delivered {
			t.Errorf("got %+v", e)
		}
	})
}

func TestBroadcast(t *testing.T) {
	inRig(t, messaging.Config{}, func(r *rig) {
		alice, bob := r.join("alice"), r.join("bob")
		if err := r.hub.Broadcast(messaging.Message{Content: []byte("all")}); err != nil {
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

func TestOrderSurvivesAFullWindowAndALogin(t *testing.T) {
	inRig(t, messaging.Config{Store: newFaulty(messaging.Bounds{}), MessageRate: -1}, func(r *rig) {
		alice, bob := r.join("alice"), r.join("bob")
		for i := range 100 { // 64 are with bob when the others are stored
			alice.to("bob", fmt.Sprint(i))
		}
		bob.gets("0")
		bob.gets("1")
		bob.Reset()
		bob = r.join("bob")
		for i := 2; i < 50; i++ {
			bob.gets(fmt.Sprint(i))
		}
		alice.to("bob", "100") // behind
		bob.Reset()
		bob = r.join("bob")
		for i := 50; i <= 100; i++ {
			bob.gets(fmt.Sprint(i))
		}
		bob.nothing()
	})
}

func TestLargeMessagesGoAsTheDeviceHasRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, messaging.Config{Store: newFaulty(messaging.Bounds{UserBytes: 4 << 20}), MessageRate: -1}, server.Config{MaxQueued: 128 << 10})
		alice, bob := r.join("alice"), r.join("bob")
		bob.StopReading()
		text := func(i int) string { return fmt.Sprint(i, strings.Repeat("x", 50<<10)) }
		for i := range 20 {
			alice.to("bob", text(i))
		}
		bob.ReadOn()
		seen := make(map[string]bool)
		for range 20 {
			r.node.Advance(time.Second)
			for bob.take(func(f codec.Frame) bool {
				n, body, _ := codec.ParseMessage(f.Payload)
				e, err := envelope.Parse(body)
				if err != nil {
					t.Fatal(err)
				}
				seen[string(e.Content)] = true
				bob.Client.Ack(n)
				return true
			}) {
			}
		}
		for i := range 20 {
			if !seen[text(i)] {
				t.Errorf("message %d did not come", i)
			}
		}
	})
}

func TestLateAcknowledgementOfAStoredMessageEndsIt(t *testing.T) {
	store := newFaulty(messaging.Bounds{})
	inRig(t, messaging.Config{Store: store}, func(r *rig) {
		alice, bob := r.join("alice"), r.join("bob")
		n := alice.to("bob", "a")
		r.node.Advance(4 * time.Second)
		alice.acked(n, envelope.AckDurable)
		if store.Waiting("bob").Records != 1 {
			t.Fatal("it is not stored")
		}
		bob.gets("a")
		if _, e := alice.delivered(envelope.Receipt); e.State != envelope.Delivered {
			t.Errorf("got %+v", e)
		}
		if store.Waiting("bob").Records != 0 {
			t.Error("it is still stored")
		}
		bob.Reset()
		r.join("bob").nothing()
	})
}

func TestCloseStoresWhatDevicesHave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newFaulty(messaging.Bounds{})
		r := newRig(t, messaging.Config{Store: store}, server.Config{})
		alice := r.join("alice")
		r.join("bob")
		alice.to("bob", "a")
		stop(t, r)
		if store.Waiting("bob").Records != 1 {
			t.Error("it is lost")
		}
	})
}

func TestWhatIsStoredOfASilentDeviceComesWithTheNextLogin(t *testing.T) {
	inRig(t, messaging.Config{Store: newFaulty(messaging.Bounds{})}, func(r *rig) {
		alice, bob := r.join("alice"), r.join("bob")
		alice.to("bob", "a")
		alice.to("bob", "b")
		r.node.Advance(4 * time.Second) // both are stored
		bob.Reset()
		bob = r.join("bob")
		bob.gets("a")
		bob.gets("b")
		bob.nothing()
	})
}

func TestNewMessageGoesBehindWhatTheStoreStillHas(t *testing.T) {
	inRig(t, messaging.Config{Store: newFaulty(messaging.Bounds{}), MessageRate: -1}, func(r *rig) {
		alice := r.join("alice")
		for i := range 100 {
			alice.to("bob", fmt.Sprint(i))
		}
		bob := r.join("bob")
		for i := range 10 { // too few for him to get more
			bob.gets(fmt.Sprint(i))
		}
		alice.to("bob", "100")
		for i := 10; i <= 100; i++ {
			bob.gets(fmt.Sprint(i))
		}
		bob.nothing()
	})
}
