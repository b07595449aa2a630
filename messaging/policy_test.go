package messaging_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/messaging"
	"github.com/stormwheel/stormwheel/messaging/envelope"
)

func TestPolicyDecides(t *testing.T) {
	var asked []messaging.Request
	policy := func(ctx context.Context, q messaging.Request) error {
		asked = append(asked, q)
		switch string(q.Content) {
		case "no":
			return &messaging.Refusal{Code: 2001, Reason: "not to him"}
		case "broken":
			return errors.New("no back end")
		case "panic":
			panic("policy")
		case "odd":
			return &messaging.Refusal{Code: 200}
		}
		if q.Room == "secret" {
			return &messaging.Refusal{Code: 2002}
		}
		return nil
	}
	inRig(t, messaging.Config{Policy: policy, PolicyWorkers: 1}, func(r *rig) {
		alice, bob := r.join("alice/1"), r.join("bob")
		alice.refused(alice.to("bob", "no"), 2001)
		alice.refused(alice.to("bob", "broken"), envelope.CodeTryLater)
		alice.refused(alice.to("bob", "panic"), envelope.CodeTryLater)
		alice.refused(alice.to("bob", "odd"), envelope.CodeForbidden)
		n := alice.to("bob", "yes")
		bob.gets("yes")
		alice.acked(n, envelope.AckDelivered)
		if q := asked[0]; q.Client != "alice/1" || q.User != "alice" || q.ToUser != "bob" || q.Kind != envelope.ToUser {
			t.Errorf("asked %+v", q)
		}
		alice.refused(alice.say(envelope.Envelope{Kind: envelope.Join, Room: []byte("secret")}), 2002)
		alice.joins("tea", envelope.Position{})
		alice.toRoom("tea", "x")
		if q := asked[len(asked)-1]; !q.Member || q.Room != "tea" {
			t.Errorf("asked %+v", q)
		}
		alice.hears("x")
	})
}

func TestSilentPolicyRefusesWithinItsTimeAndKeepsTheOrder(t *testing.T) {
	policy := func(ctx context.Context, q messaging.Request) error {
		switch string(q.Content) {
		case "slow":
			time.Sleep(time.Second)
		case "dead":
			<-ctx.Done()
		}
		return nil
	}
	inRig(t, messaging.Config{Policy: policy, Store: newFaulty(messaging.Bounds{})}, func(r *rig) {
		alice, bob := r.join("alice"), r.join("bob")
		alice.to("bob", "slow")
		for i := range 20 {
			alice.to("bob", fmt.Sprint(i))
		}
		bob.nothing()
		r.node.Advance(time.Second)
		bob.gets("slow")
		for i := range 20 {
			bob.gets(fmt.Sprint(i))
		}
		alice.drain()
		n := alice.to("bob", "dead")
		r.node.Advance(2100 * time.Millisecond)
		alice.refused(n, envelope.CodeTryLater)
		bob.nothing()
	})
}

func TestWhatThePolicyDecidesAfterItsClientHasGoneIsStillDone(t *testing.T) {
	policy := func(ctx context.Context, q messaging.Request) error { time.Sleep(time.Second); return nil }
	inRig(t, messaging.Config{Policy: policy, Store: newFaulty(messaging.Bounds{})}, func(r *rig) {
		alice, bob := r.join("alice"), r.join("bob")
		body := encode(t, envelope.Envelope{Kind: envelope.ToUser, User: []byte("bob"), Content: []byte("a")})
		n := alice.Send(body)
		j := alice.say(envelope.Envelope{Kind: envelope.Join, Room: []byte("tea")})
		alice.Reset()
		r.node.Settle()
		alice = alice.back()
		alice.SendAgain(n, body)
		r.node.Advance(time.Second)
		bob.gets("a")
		alice.acked(n, envelope.AckDelivered)
		alice.refused(j, envelope.CodeTryLater) // of a session that is gone
	})
}

func TestPolicyThatIsBusyRefuses(t *testing.T) {
	policy := func(ctx context.Context, q messaging.Request) error { <-ctx.Done(); return nil }
	inRig(t, messaging.Config{Policy: policy, PolicyWorkers: 1, PolicyQueue: 1}, func(r *rig) {
		first, second, third := r.join("a"), r.join("b"), r.join("c")
		f, s, n := first.to("x", "1"), second.to("x", "2"), third.to("x", "3")
		third.refused(n, envelope.CodeTryLater)
		r.node.Advance(2100 * time.Millisecond)
		first.refused(f, envelope.CodeTryLater)
		second.refused(s, envelope.CodeTryLater)
	})
}

func TestAPolicyThatDoesNotDecideIsLoggedOnceASecond(t *testing.T) {
	var log bytes.Buffer
	cfg := messaging.Config{Policy: func(context.Context, messaging.Request) error { return errors.New("no back end") },
		Logger: slog.New(slog.NewTextHandler(&log, nil)), PolicyWorkers: 1}
	inRig(t, cfg, func(r *rig) {
		alice := r.join("alice")
		for range 20 {
			alice.refused(alice.to("bob", "a"), envelope.CodeTryLater)
		}
		r.node.Advance(time.Second)
		alice.refused(alice.to("bob", "a"), envelope.CodeTryLater)
	})
	if said := log.String(); strings.Count(said, "has not decided") != 2 || !strings.Contains(said, "calls=20") {
		t.Errorf("log:\n%s", said)
	}
}

// A policy that may take long and does not leaves the devices their time.
func TestAQuickPolicyLeavesDevicesTheirTime(t *testing.T) {
	store := newFaulty(messaging.Bounds{})
	policy := func(context.Context, messaging.Request) error { return nil }
	inRig(t, messaging.Config{Policy: policy, PolicyTimeout: 3 * time.Second, Store: store}, func(r *rig) {
		alice, bob := r.join("alice"), r.join("bob")
		n := alice.to("bob", "a")
		r.node.Advance(2500 * time.Millisecond)
		if w := store.Waiting("bob"); w.Records != 0 {
			t.Errorf("stored before a device could answer: %+v", w)
		}
		bob.gets("a")
		alice.acked(n, envelope.AckDelivered)
	})
}

// A message that waits for what its client asked before is settled in time, and those behind it, too.
func TestWhatWaitsForAPolicyIsSettledWithin5s(t *testing.T) {
	store := newFaulty(messaging.Bounds{})
	policy := func(context.Context, messaging.Request) error { time.Sleep(1900 * time.Millisecond); return nil }
	cfg := messaging.Config{Policy: policy, PolicyKinds: []envelope.Kind{envelope.Join}, Store: store}
	inRig(t, cfg, func(r *rig) {
		alice, carol := r.join("alice"), r.join("carol")
		r.join("bob")
		store.stall() // until the hub ends
		alice.say(envelope.Envelope{Kind: envelope.Join, Room: []byte("tea")})
		n := alice.to("bob", "a")
		r.node.Advance(1500 * time.Millisecond)
		later := carol.to("bob", "b")
		r.node.Advance(3500 * time.Millisecond)
		alice.delivered(envelope.Joined)
		alice.refused(n, envelope.CodeTryLater)
		r.node.Advance(1500 * time.Millisecond)
		carol.refused(later, envelope.CodeTryLater)
	})
}

// Who leaves behind a join that is not decided yet is no member in the end, and so with watches.
func TestALeaveComesBehindItsJoin(t *testing.T) {
	policy := func(context.Context, messaging.Request) error { time.Sleep(time.Second); return nil }
	for _, kinds := range [][]envelope.Kind{nil, {envelope.Join, envelope.Watch}} {
		inRig(t, messaging.Config{Policy: policy, PolicyKinds: kinds}, func(r *rig) {
			alice := r.join("alice")
			alice.say(envelope.Envelope{Kind: envelope.Join, Room: []byte("tea")})
			left := alice.say(envelope.Envelope{Kind: envelope.Leave, Room: []byte("tea")})
			alice.say(envelope.Envelope{Kind: envelope.Watch, User: []byte("bob")})
			unwatched := alice.say(envelope.Envelope{Kind: envelope.Unwatch, User: []byte("bob")})
			r.node.Advance(1500 * time.Millisecond)
			alice.delivered(envelope.Joined)
			alice.acked(left, envelope.AckTaken)
			alice.acked(unwatched, envelope.AckTaken)
			if st, _, _ := r.hub.Room(t.Context(), "tea"); st.Members != 0 {
				t.Errorf("the room has %+v", st)
			}
			alice.drain()
			r.join("bob")
			alice.nothing()
		})
	}
}
