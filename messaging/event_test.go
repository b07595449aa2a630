package messaging_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/messaging"
	"github.com/stormwheel/stormwheel/messaging/envelope"
)

// heard are the events of a hub, in their order, in words.
type heard struct {
	mu     sync.Mutex
	words  []string
	events []messaging.Event
}

func (h *heard) tell(e messaging.Event) {
	word := fmt.Sprint(e.Kind, " ", e.User, " ", e.Devices)
	if e.Device != "" {
		word += " " + e.Device
	}
	if e.Content != nil {
		word += fmt.Sprintf(" %q", e.Content)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.words = append(h.words, word)
	h.events = append(h.events, e)
}

// want holds that just these were told since it was asked before.
func (h *heard) want(t *testing.T, words ...string) (events []messaging.Event) {
	t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	if !slices.Equal(h.words, words) {
		t.Fatalf("events\n%q, want\n%q", h.words, words)
	}
	events = h.events
	h.words, h.events = nil, nil
	return events
}

func TestEventsTellWhoIsOnline(t *testing.T) {
	var told heard
	inRig(t, messaging.Config{Events: told.tell}, func(r *rig) {
		phone := r.join("bob/phone")
		first := told.want(t, "online bob 1 bob/phone")[0]
		phone.Reset()
		r.node.Advance(r.grace() - time.Second)
		phone = phone.back()
		r.node.Advance(r.grace() + time.Second)
		told.want(t) // it was back within the grace
		r.join("bob/laptop")
		told.want(t, "online bob 2 bob/laptop")
		phone.Bye()
		r.node.Advance(r.grace() + time.Second)
		if e := told.want(t, "offline bob 1 bob/phone")[0]; first.Stamp == 0 || e.Stamp <= first.Stamp || e.At.IsZero() {
			t.Errorf("offline %+v, online %+v", e, first)
		}
	})
}

func TestEventsTellWhatBecomesOfTheQueue(t *testing.T) {
	var told heard
	inRig(t, messaging.Config{Events: told.tell, Store: newFaulty(messaging.Bounds{})}, func(r *rig) {
		alice := r.join("alice/1")
		told.want(t, "online alice 1 alice/1")
		for _, text := range []string{"a", "b"} {
			alice.acked(alice.to("bob", text), envelope.AckDurable)
		}
		if e := told.want(t, `undelivered bob 0 "a"`, `undelivered bob 0 "b"`)[0]; e.From != "alice" || e.ID.Sender != "alice/1" ||
			e.ID.Number != 1 || e.ID.Incarnation == 0 || !e.Durable || e.Taken.IsZero() {
			t.Errorf("told %+v", e)
		}
		bob := r.join("bob")
		n, _ := bob.delivered(envelope.Message)
		bob.Client.Ack(n)
		n, _ = bob.delivered(envelope.Message)
		bob.Client.Nack(n, 2001)
		r.node.Settle()
		events := told.want(t, "online bob 1 bob", "delivered bob 1 bob", "refused bob 1")
		if e := events[2]; e.Err == nil || e.Err.Code != 2001 || e.ID.Number != 2 {
			t.Errorf("told %+v", e)
		}
		alice.drain()
		r.node.Settle()
		alice.acked(alice.toAndTaken("bob", bob, "c"), envelope.AckDelivered)
		told.want(t) // what is taken at once is no event, and neither is a receipt
	})
}

// toAndTaken has a message taken at once.
func (p *peer) toAndTaken(to string, by *peer, text string) (number uint64) {
	number = p.to(to, text)
	by.gets(text)
	return number
}

func TestADelayedMessageIsUndeliveredWhenItIsDueAndNoSooner(t *testing.T) {
	var told heard
	inRig(t, messaging.Config{Events: told.tell, Store: newFaulty(messaging.Bounds{})}, func(r *rig) {
		if err := r.hub.Push("bob", messaging.Message{Content: []byte("later"), At: time.Now().Add(time.Minute)}, nil); err != nil {
			t.Fatal(err)
		}
		r.node.Advance(50 * time.Second)
		told.want(t)
		r.node.Advance(20 * time.Second)
		told.want(t, `undelivered bob 0 "later"`)
	})
}

func TestWhatExpiredIsToldOnceWhenItsUserComes(t *testing.T) {
	var told heard
	inRig(t, messaging.Config{Events: told.tell, Store: newFaulty(messaging.Bounds{})}, func(r *rig) {
		m := messaging.Message{Content: []byte("x"), Life: time.Minute}
		if err := r.hub.Push("bob", m, nil); err != nil {
			t.Fatal(err)
		}
		r.node.Settle()
		told.want(t, `undelivered bob 0 "x"`)
		r.node.Advance(2 * time.Minute)
		told.want(t)
		r.join("bob")
		r.node.Settle()
		told.want(t, "online bob 1 bob", "expired bob 1")
	})
}

// A delayed message whose life ended while the node was down leaves its place in the store.
func TestADelayedMessageThatWasDueLongAgoIsForgotten(t *testing.T) {
	var told heard
	store := newFaulty(messaging.Bounds{})
	inRig(t, messaging.Config{Events: told.tell, Store: store}, func(r *rig) {
		body := encode(t, envelope.Envelope{Kind: envelope.Message, User: []byte("alice"), Content: []byte("old"), Taken: time.Now(),
			ID: envelope.ID{Sender: []byte("alice"), Incarnation: 1, Number: 1}})
		ago := time.Now().Add(-time.Hour).Truncate(time.Second)
		records := []messaging.Record{{User: "bob", Put: ago, Due: ago.Add(time.Minute), Expires: ago.Add(2 * time.Minute), Body: body}}
		if err := store.Put(t.Context(), records); err != nil || records[0].Refused != nil {
			t.Fatal(err, records[0].Refused)
		}
		r.node.Advance(time.Minute)
		r.join("bob")
		r.node.Advance(time.Second)
		told.want(t, "expired bob 0", "online bob 1 bob")
		if w := store.Waiting("bob"); w.Records+w.Delayed > 0 {
			t.Errorf("there is still %+v", w)
		}
	})
}

func TestAFunctionThatPanicsOnAnEventHarmsNobody(t *testing.T) {
	inRig(t, messaging.Config{Events: func(messaging.Event) { panic("events") }, Store: newFaulty(messaging.Bounds{})}, func(r *rig) {
		alice := r.join("alice")
		alice.acked(alice.to("bob", "a"), envelope.AckDurable)
		r.join("bob").gets("a")
	})
}

// What a policy does not decide does not wait for it, and comes behind what its client asked before.
func TestPolicyKindsAloneWaitForThePolicy(t *testing.T) {
	policy := func(ctx context.Context, q messaging.Request) error {
		if q.Kind != envelope.Join {
			t.Errorf("asked %+v", q)
		}
		if q.Room == "dead" {
			<-ctx.Done()
			return ctx.Err()
		}
		time.Sleep(time.Second)
		return nil
	}
	cfg := messaging.Config{Policy: policy, PolicyKinds: []envelope.Kind{envelope.Join}, PolicyWorkers: 1}
	inRig(t, cfg, func(r *rig) {
		stuck, alice, bob := r.join("stuck"), r.join("alice"), r.join("bob")
		stuck.say(envelope.Envelope{Kind: envelope.Join, Room: []byte("dead")})
		alice.acked(alice.toAndTaken("bob", bob, "hi"), envelope.AckDelivered)
		n := alice.to("bob", "patience") // of which a policy about joins takes nothing
		r.node.Advance(1500 * time.Millisecond)
		bob.gets("patience")
		alice.acked(n, envelope.AckDelivered)
		r.node.Advance(3 * time.Second)
		alice.say(envelope.Envelope{Kind: envelope.Join, Room: []byte("tea")})
		n = alice.say(envelope.Envelope{Kind: envelope.Watch, Room: []byte("tea")}) // who is in it may
		r.node.Settle()
		bob.nothing()
		r.node.Advance(time.Second)
		alice.delivered(envelope.Joined)
		alice.acked(n, envelope.AckTaken)
	})
}

func TestAReceiptThatIsStoredIsNoEvent(t *testing.T) {
	var told heard
	inRig(t, messaging.Config{Events: told.tell, Store: newFaulty(messaging.Bounds{})}, func(r *rig) {
		alice := r.join("alice")
		alice.acked(alice.to("bob", "a"), envelope.AckDurable)
		alice.Bye()
		r.node.Settle()
		r.join("bob").gets("a")
		r.node.Settle()
		told.want(t, "online alice 1 alice", `undelivered bob 0 "a"`, "online bob 1 bob", "delivered bob 1 bob")
		if w := r.hub.Stats().Queued; w != 1 {
			t.Errorf("%d messages wait, want the receipt", w)
		}
	})
}
