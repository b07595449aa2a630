package messaging_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stormwheel/stormwheel/messaging"
	"github.com/stormwheel/stormwheel/messaging/envelope"
	"github.com/stormwheel/stormwheel/server"
)

func (p *peer) delays(user, text string, d time.Duration) (number uint64) {
	return p.say(envelope.Envelope{Kind: envelope.ToUser, User: []byte(user), Content: []byte(text), At: time.Now().Add(d)})
}

func TestDelayedMessageComesWhenItIsDue(t *testing.T) {
	for _, d := range []time.Duration{300 * time.Millisecond, 20 * time.Second, 10 * time.Minute, 3*time.Hour + 123*time.Millisecond} {
		t.Run(d.String(), func(t *testing.T) {
			inRig(t, messaging.Config{Store: newFaulty(messaging.Bounds{})}, func(r *rig) {
				alice, bob := r.join("alice"), r.join("bob")
				alice.acked(alice.delays("bob", "later", d), envelope.AckDurable)
				n := alice.to("bob", "now") // it does not wait for what is delayed
				bob.gets("now")
				alice.acked(n, envelope.AckDelivered)
				r.node.Advance(d - time.Millisecond)
				bob.nothing()
				r.node.Advance(600 * time.Millisecond)
				bob.gets("later")
				bob.nothing()
				_, e := alice.delivered(envelope.Receipt)
				if e.State != envelope.Delivered {
					t.Errorf("got %+v", e)
				}
			})
		})
	}
}

func TestDelayedMessageOutlivesTheNode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newFaulty(messaging.Bounds{})
		r := newRig(t, messaging.Config{Store: store}, server.Config{})
		alice := r.join("alice")
		alice.acked(alice.delays("bob", "soon", 5*time.Second), envelope.AckDurable)
		alice.acked(alice.delays("bob", "later", time.Hour), envelope.AckDurable)
		stop(t, r)
		time.Sleep(time.Minute)
		r = newRig(t, messaging.Config{Store: store}, server.Config{})
		bob := r.join("bob")
		r.node.Settle()
		bob.gets("soon")
		r.node.Advance(time.Hour)
		bob.gets("later")
		if w := store.Waiting("bob"); w.Records+w.Delayed != 0 {
			t.Errorf("the store has %+v", w)
		}
	})
}

func TestDelayedMessageToAnAbsentUserTakesItsPlaceInTheQueue(t *testing.T) {
	store := newFaulty(messaging.Bounds{})
	inRig(t, messaging.Config{Store: store}, func(r *rig) {
		alice := r.join("alice")
		alice.acked(alice.delays("bob", "b", 5*time.Second), envelope.AckDurable)
		alice.acked(alice.to("bob", "a"), envelope.AckDurable)
		r.node.Advance(6 * time.Second)
		if w := store.Waiting("bob"); w.Records != 2 || w.Delayed != 0 {
			t.Errorf("the store has %+v", w)
		}
		bob := r.join("bob")
		bob.gets("a")
		bob.gets("b")
	})
}
