package messaging_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stormwheel/stormwheel/messaging"
	"github.com/stormwheel/stormwheel/messaging/envelope"
	"github.com/stormwheel/stormwheel/server"
)

func (p *peer) toFor(user, text string, life time.Duration) (number uint64) {
	return p.say(envelope.Envelope{Kind: envelope.ToUser, User: []byte(user), Content: []byte(text), Life: life})
}

func (p *peer) expired() {
	p.r.t.Helper()
	if n, e := p.delivered(envelope.Receipt); e.State != envelope.Expired {
		p.r.t.Errorf("got %+v", e)
	} else {
		p.Client.Ack(n)
	}
}

func TestExpiredMessagesOfWhoNeverComesAreDropped(t *testing.T) {
	store := newFaulty(messaging.Bounds{})
	inRig(t, messaging.Config{Store: store, Life: time.Hour, MessageRate: -1}, func(r *rig) {
		alice := r.join("alice")
		for i := range 300 { // more than a page
			alice.acked(alice.to("bob", fmt.Sprint(i)), envelope.AckDurable)
		}
		r.node.Advance(50 * time.Minute)
		alice.acked(alice.to("bob", "young"), envelope.AckDurable)
		r.node.Advance(30 * time.Minute)
		if w := store.Waiting("bob"); w.Records != 1 {
			t.Errorf("the store has %+v", w)
		}
		for range 300 {
			alice.expired()
		}
		alice.nothing()
		r.join("bob").gets("young")
	})
}

func TestExpiredMessagesOfVeryManyAreDropped(t *testing.T) {
	const users = 2000 // of whom a shard has more than it sweeps in a round
	store := newFaulty(messaging.Bounds{})
	inRig(t, messaging.Config{Store: store, Life: time.Hour}, func(r *rig) {
		for i := range users {
			if err := r.hub.Push(fmt.Sprint("user", i), messaging.Message{Content: []byte("a")}, nil); err != nil {
				t.Fatal(err)
			}
		}
		r.node.Advance(80 * time.Minute)
		if records, _ := store.Total(); records != 0 {
			t.Errorf("the store has %d", records)
		}
	})
}

func TestFullQueueIsRidOfWhatHasExpired(t *testing.T) {
	store := newFaulty(messaging.Bounds{UserRecords: 3})
	inRig(t, messaging.Config{Store: store}, func(r *rig) {
		alice := r.join("alice")
		for range 3 {
			alice.acked(alice.toFor("bob", "x", time.Minute), envelope.AckDurable)
		}
		r.node.Advance(2 * time.Minute)
		alice.refused(alice.to("bob", "y"), envelope.CodeQueueFull)
		for range 3 {
			alice.expired()
		}
		alice.acked(alice.to("bob", "y"), envelope.AckDurable)
		r.join("bob").gets("y")
	})
}

func TestDelayedMessageThatExpiresWhileTheNodeIsDownIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newFaulty(messaging.Bounds{})
		cfg := messaging.Config{Store: store, Life: time.Minute}
		r := newRig(t, cfg, server.Config{})
		alice := r.join("alice")
		alice.acked(alice.delays("bob", "soon", 5*time.Second), envelope.AckDurable)
		stop(t, r)
		time.Sleep(10 * time.Minute)
		r = newRig(t, cfg, server.Config{})
		r.node.Settle()
		if w := store.Waiting("bob"); w.Records+w.Delayed != 0 {
			t.Errorf("the store has %+v", w)
		}
		r.join("bob").nothing()
		r.join("alice").expired()
	})
}

// committer is a store that does one thing after the other: what is asked of it while a Put stalls is done behind that.
type committer struct{ *faulty }

func (c committer) Drop(ctx context.Context, user string, keys []messaging.Key) error {
	c.mu.Lock()
	hold := c.hold
	c.mu.Unlock()
	if hold != nil {
		<-hold
		time.Sleep(time.Millisecond)
	}
	return c.faulty.Drop(ctx, user, keys)
}

// The store stalls while the move of a delayed message is with it, and the message expires: it is found again.
func TestDelayedMessageThatExpiresWhileTheStoreStallsIsToldOnce(t *testing.T) {
	var told heard
	store := committer{newFaulty(messaging.Bounds{})}
	inRig(t, messaging.Config{Store: store, Life: time.Minute, Events: told.tell}, func(r *rig) {
		alice := r.join("alice")
		alice.acked(alice.delays("bob", "soon", 5*time.Second), envelope.AckDurable)
		told.want(t, "online alice 1 alice")
		goOn := store.stall()
		r.node.Advance(3 * time.Minute)
		goOn()
		r.node.Advance(time.Minute)
		told.want(t, "expired bob 0")
		alice.expired()
		r.join("bob")
		r.node.Advance(time.Minute)
		told.want(t, "online bob 1 bob")
		alice.nothing()
		if records, _ := store.Total(); records != 0 {
			t.Errorf("the store has %d", records)
		}
	})
}

// Two sweeps of one queue wait for the same store.
func TestWhatExpiredIsToldOnceThoughItIsSweptTwice(t *testing.T) {
	store := newFaulty(messaging.Bounds{})
	inRig(t, messaging.Config{Store: store, Life: time.Hour}, func(r *rig) {
		alice := r.join("alice")
		alice.acked(alice.to("bob", "a"), envelope.AckDurable)
		alice.acked(alice.to("bob", "b"), envelope.AckDurable)
		r.node.Advance(45 * time.Minute)
		goOn := store.stall()
		alice.to("bob", "c") // is refused
		r.node.Advance(45 * time.Minute)
		alice.drain()
		goOn()
		r.node.Advance(time.Minute)
		alice.expired()
		alice.expired()
		alice.nothing()
	})
}
