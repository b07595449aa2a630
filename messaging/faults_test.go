package messaging_test

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/messaging"
	"github.com/stormwheel/stormwheel/messaging/envelope"
	"github.com/stormwheel/stormwheel/server"
)

func TestClockSetBackAnHour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		back := time.Duration(0)
		wall := func() time.Time { return time.Now().Round(0).Add(-back) }
		store := newFaulty(messaging.Bounds{})
		r := newRigAt(t, messaging.Config{Store: store, OpenPresence: true}, server.Config{}, wall)
		alice, carol := r.join("alice"), r.join("carol")
		alice.joins("tea", envelope.Position{})
		alice.acked(alice.say(envelope.Envelope{Kind: envelope.Watch, User: []byte("dave")}), envelope.AckTaken)
		alice.acked(alice.to("bob", "before"), envelope.AckDurable)
		alice.acked(alice.delays("bob", "late", 10*time.Second), envelope.AckDurable)
		dave := r.join("dave")
		_, e := alice.delivered(envelope.Presence)
		first := e.Stamp
		dave.Bye()
		r.node.Advance(10 * time.Minute)
		_, e = alice.delivered(envelope.Presence)
		if e.State != envelope.Offline {
			t.Fatalf("got %+v", e)
		}

		back = time.Hour
		r.join("dave")
		if _, e := alice.delivered(envelope.Presence); e.State != envelope.Online || e.Stamp <= first {
			t.Errorf("got %+v: who watches would drop it", e)
		}
		n := alice.to("carol", "hi")
		carol.gets("hi")
		alice.acked(n, envelope.AckDelivered)
		alice.acked(alice.toRoom("tea", "hi"), envelope.AckTaken)
		alice.delivered(envelope.Publication)
		alice.acked(alice.to("bob", "after"), envelope.AckDurable)
		silent := alice.to("carol", "unanswered")
		r.node.Advance(4 * time.Second)
		alice.acked(silent, envelope.AckDurable) // patience is no matter of the time of day
		at := time.Now().Add(-back + 20*time.Second)
		alice.acked(alice.say(envelope.Envelope{Kind: envelope.ToUser, User: []byte("bob"), Content: []byte("in 20 s"), At: at}), envelope.AckDurable)
		r.node.Advance(21 * time.Second)
		bob := r.join("bob")
		bob.gets("before")
		bob.gets("late") // it was due while the clock was right
		bob.gets("after")
		bob.gets("in 20 s")
		bob.nothing()
	})
}

func TestWhatNoFrameCarriesIsRefusedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newFaulty(messaging.Bounds{})
		r := newRig(t, messaging.Config{Store: store}, server.Config{MaxFrame: 8 << 10})
		r.join("bob")
		large := make([]byte, 8<<10)
		for _, user := range []string{"bob", "away"} {
			err := r.hub.Push(user, messaging.Message{Content: large}, func(o messaging.Outcome) { t.Errorf("told %+v", o) })
			wantRefusal(t, err, envelope.CodeTooLarge)
		}
		_, err := r.hub.PushRoom(t.Context(), "tea", messaging.Message{Content: large})
		wantRefusal(t, err, envelope.CodeTooLarge)
		_, err = r.hub.Broadcast(t.Context(), messaging.Message{Content: large})
		wantRefusal(t, err, envelope.CodeTooLarge)
		r.node.Settle()
		if records, _ := store.Total(); records != 0 {
			t.Errorf("%d are stored, which nobody could be sent", records)
		}
		alice := r.join("alice") // what its SEND can hold, a DELIVER with id and times need not
		body := encode(t, envelope.Envelope{Kind: envelope.ToUser, User: []byte("away")})
		alice.refused(alice.Send(append(body, make([]byte, 8<<10-8-len(body))...)), envelope.CodeTooLarge)
		alice.acked(alice.to("away", "small"), envelope.AckDurable)
	})
}

func wantRefusal(t *testing.T, err error, code codec.NackCode) {
	t.Helper()
	var refusal *messaging.Refusal
	if !errors.As(err, &refusal) || refusal.Code != code {
		t.Errorf("got %v, want a refusal with %d", err, uint16(code))
	}
}

func TestRoomsAreBoundedByUser(t *testing.T) {
	inRig(t, messaging.Config{MaxRooms: 2}, func(r *rig) {
		join := func(room string) envelope.Envelope { return envelope.Envelope{Kind: envelope.Join, Room: []byte(room)} }
		phone, tv := r.join("alice/phone"), r.join("alice/tv")
		phone.joins("a", envelope.Position{})
		tv.joins("b", envelope.Position{})
		tv.joins("a", envelope.Position{}) // both are in it
		tv.refused(tv.say(join("c")), envelope.CodeTooMany)
		phone.refused(phone.say(join("c")), envelope.CodeTooMany)
		tv.acked(tv.say(envelope.Envelope{Kind: envelope.Leave, Room: []byte("b")}), envelope.AckTaken)
		phone.joins("c", envelope.Position{})
		phone.Reset()
		r.node.Settle()
		tv.joins("d", envelope.Position{}) // what a session was in counts as long as the session
	})
}

// Heartbeats and messages between who is online go on, whatever the store does.
func TestStalledStoreLeavesHeartbeatsAlone(t *testing.T) {
	store := newFaulty(messaging.Bounds{})
	inRig(t, messaging.Config{Store: store, MessageRate: -1}, func(r *rig) {
		alice, carol := r.join("alice"), r.join("carol")
		goOn := store.stall()
		defer goOn()
		for second := range 5 {
			for i := range 40 {
				alice.to(fmt.Sprint("away", i), "x")
			}
			n := alice.to("carol", fmt.Sprint(second))
			carol.gets(fmt.Sprint(second))
			alice.acked(n, envelope.AckDelivered)
			carol.drain()
			carol.Ping()
			carol.ExpectPong()
			r.node.Advance(time.Second)
		}
	})
}

// A SEND that was answered, but its client does not know, goes through another node, and again through the
// first: each copy has the same name, by which a receiver knows it.
func TestSendIsRetriedThroughAnotherNodeAndThroughTheFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newRig(t, messaging.Config{Store: newFaulty(messaging.Bounds{})}, server.Config{})
		store := newFaulty(messaging.Bounds{})
		b := newRig(t, messaging.Config{Store: store}, server.Config{})
		const incarnation = 77
		login := func(r *rig) *peer {
			c := r.node.Dial()
			c.Hello(codec.HelloMessage{ClientID: []byte("alice"), Incarnation: incarnation})
			c.ExpectWelcome()
			return &peer{Client: c, r: r}
		}
		hi := encode(t, envelope.Envelope{Kind: envelope.ToUser, User: []byte("bob"), Content: []byte("hi")})
		alice, bob := login(a), a.join("bob")
		n := alice.Send(hi)
		first := bob.gets("hi")
		alice.Reset() // with the ACK unread
		a.node.Settle()

		alice = login(b)
		alice.SendAgain(n, hi)
		b.node.Settle()
		alice.acked(n, envelope.AckDurable)
		if w := store.Waiting("bob"); w.Records != 1 {
			t.Errorf("the other node has %+v", w)
		}
		alice.Reset()
		b.node.Settle()

		alice = login(a)
		alice.SendAgain(n, hi)
		a.node.Settle()
		alice.acked(n, envelope.AckDelivered)
		bob.nothing()
		bob.Bye()
		a.node.Settle()
		second := b.join("bob").gets("hi")
		if string(first.ID.Sender) != string(second.ID.Sender) || first.ID.Incarnation != incarnation || second.ID.Incarnation != incarnation || second.ID.Number != first.ID.Number {
			t.Errorf("the copies have the names %+v and %+v", first.ID, second.ID)
		}
	})
}
