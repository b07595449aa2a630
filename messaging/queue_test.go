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
