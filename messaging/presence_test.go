package messaging_test

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/messaging"
	"github.com/stormwheel/stormwheel/messaging/envelope"
	"github.com/stormwheel/stormwheel/server"
)

func (p *peer) watches(e envelope.Envelope) {
	p.r.t.Helper()
	e.Kind = envelope.Watch
	p.acked(p.say(e), envelope.AckTaken)
}

func (p *peer) sees(state envelope.State, device string) envelope.Envelope {
	p.r.t.Helper()
	_, e := p.delivered(envelope.Presence)
	if e.State != state || string(e.Device) != device {
		p.r.t.Fatalf("got %v %q, want %v %q", e.State, e.Device, state, device)
	}
	return e
}

func (r *rig) grace() time.Duration { return r.node.Stats().Window*6/5 + 10*time.Second }

func TestPresenceOfAUserHasAGrace(t *testing.T) {
	inRig(t, messaging.Config{OpenPresence: true}, func(r *rig) {
		alice := r.join("alice")
		alice.watches(envelope.Envelope{User: []byte("bob")})
		alice.nothing()
		phone := r.join("bob/phone")
		first := alice.sees(envelope.Online, "bob/phone")
		if first.Stamp == 0 || first.Count != 1 {
			t.Errorf("got %+v", first)
		}
		phone.Reset()
		r.node.Advance(r.grace() - time.Second)
		alice.nothing()
		phone = phone.back()
		r.node.Advance(r.grace() + time.Second)
		alice.nothing() // it was back within the grace
		laptop := r.join("bob/laptop")
		if e := alice.sees(envelope.Online, "bob/laptop"); e.Count != 2 {
			t.Errorf("got %+v", e)
		}
		phone.Bye()
		r.node.Advance(r.grace() + time.Second)
		if e := alice.sees(envelope.Offline, "bob/phone"); e.Count != 1 || e.Stamp <= first.Stamp {
			t.Errorf("got %+v, first %+v", e, first)
		}
		carol := r.join("carol")
		carol.watches2(t, "bob", "bob/laptop")
		laptop.Bye()
		r.node.Advance(r.grace() + time.Second)
		alice.sees(envelope.Offline, "bob/laptop")
		carol.sees(envelope.Offline, "bob/laptop")
		alice.acked(alice.say(envelope.Envelope{Kind: envelope.Unwatch, User: []byte("bob")}), envelope.AckTaken)
		r.join("bob/phone")
		alice.nothing()
	})
}

// watches2 begins a watch of somebody who is online.
func (p *peer) watches2(t *testing.T, user, device string) {
	t.Helper()
	n := p.say(envelope.Envelope{Kind: envelope.Watch, User: []byte(user)})
	p.sees(envelope.Online, device)
	p.acked(n, envelope.AckTaken)
}

func TestReplacedIsNotOffline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, messaging.Config{OpenPresence: true}, server.Config{Duplicates: server.Replace})
		alice := r.join("alice")
		alice.watches(envelope.Envelope{User: []byte("bob")})
		r.join("bob")
		alice.sees(envelope.Online, "bob")
		r.join("bob")
		r.node.Advance(2 * time.Minute)
		alice.nothing()
	})
}

func TestPresenceInARoom(t *testing.T) {
	inRig(t, messaging.Config{}, func(r *rig) {
		alice := r.join("alice")
		alice.refused(alice.say(envelope.Envelope{Kind: envelope.Watch, Room: []byte("tea")}), envelope.CodeNotMember)
		alice.joins("tea", envelope.Position{})
		alice.watches(envelope.Envelope{Room: []byte("tea")})
		bob := r.join("bob")
		alice.nothing()
		bob.joins("tea", envelope.Position{})
		if e := alice.sees(envelope.Online, "bob"); string(e.Room) != "tea" {
			t.Errorf("got %+v", e)
		}
		bob.Reset()
		bob = bob.back()
		bob.joins("tea", envelope.Position{})
		r.node.Advance(r.grace() + time.Second)
		alice.nothing()
		bob.acked(bob.say(envelope.Envelope{Kind: envelope.Leave, Room: []byte("tea")}), envelope.AckTaken)
		alice.sees(envelope.Offline, "bob")
		bob.joins("tea", envelope.Position{})
		alice.sees(envelope.Online, "bob")
		bob.Bye()
		r.node.Advance(r.grace() + time.Second)
		alice.sees(envelope.Offline, "bob")
	})
}

func TestPresenceOfStrangersIsRefused(t *testing.T) {
	inRig(t, messaging.Config{}, func(r *rig) {
		alice := r.join("alice")
		alice.refused(alice.say(envelope.Envelope{Kind: envelope.Watch, User: []byte("bob")}), envelope.CodeForbidden)
	})
}

func TestGraceBeginsAnewWithEachLeave(t *testing.T) {
	inRig(t, messaging.Config{OpenPresence: true}, func(r *rig) {
		alice, bob := r.join("alice"), r.join("bob")
		alice.watches2(t, "bob", "bob")
		grace := r.grace()
		bob.Bye()
		r.node.Advance(grace - time.Second)
		r.join("bob").Bye()
		r.node.Advance(grace - time.Second) // the first grace has ended meanwhile
		alice.nothing()
		r.node.Advance(2 * time.Second)
		alice.sees(envelope.Offline, "bob")
	})
}

// The answer to a watch comes behind what it tells first: so a client knows who has gone since it was told.
func TestAnswerToAWatchComesBehindWhoIsOnline(t *testing.T) {
	inRig(t, messaging.Config{OpenPresence: true}, func(r *rig) {
		r.join("bob/a")
		r.join("bob/b")
		alice := r.join("alice")
		alice.say(envelope.Envelope{Kind: envelope.Watch, User: []byte("bob")})
		var types []codec.Type
		for _, f := range alice.Received() {
			types = append(types, f.Type)
		}
		if want := []codec.Type{codec.Deliver, codec.Deliver, codec.Ack}; !slices.Equal(types, want) {
			t.Errorf("got %v, want %v", types, want)
		}
	})
}

// Who is told that his watch is taken knows all who are online: else he asks again.
func TestAWatchThatCannotTellAllIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, messaging.Config{OpenPresence: true, MaxDevices: -1}, server.Config{MaxFrame: 8 << 10, MaxQueued: 16 << 10})
		for i := range 300 {
			r.join(fmt.Sprint("bob/", i))
		}
		alice := r.join("alice")
		alice.refused(alice.say(envelope.Envelope{Kind: envelope.Watch, User: []byte("bob")}), envelope.CodeTryLater)
	})
}
