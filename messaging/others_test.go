package messaging_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/messaging"
	"github.com/stormwheel/stormwheel/messaging/envelope"
)

// watches has a client watch somebody, which needs other nodes, and returns whom it is told to be online.
func (w *town) watches(p *peer, e envelope.Envelope) (online []string) {
	w.t.Helper()
	e.Kind = envelope.Watch
	n := p.say(e)
	w.advance(50 * time.Millisecond)
	p.take(func(codec.Frame) bool { return false })
	for len(p.frames) > 0 && p.frames[0].Type == codec.Deliver {
		_, e := p.delivered(envelope.Presence)
		if e.State == envelope.Online {
			online = append(online, string(e.Device))
		}
	}
	p.acked(n, envelope.AckTaken)
	slices.Sort(online)
	return online
}

// in is the same test on both kinds of nodes.
func inTowns(t *testing.T, n int, cfg messaging.Config, test func(w *town)) {
	t.Helper()
	t.Run("of the test", func(t *testing.T) { inTown(t, n, cfg, test) })
	t.Run("of a cluster", func(t *testing.T) { inRealTown(t, n, cfg, test) })
}

// leave has a client be gone for good.
func (w *town) bye(p *peer) {
	w.t.Helper()
	p.Bye()
	w.advance(50 * time.Millisecond)
}

func (w *town) grace() time.Duration { return w.nodes[0].grace() + time.Second }

func TestWatcherSeesOtherNodes(t *testing.T) {
	inTowns(t, 3, messaging.Config{OpenPresence: true}, func(w *town) {
		bob := envelope.Envelope{User: []byte("bob")}
		phone := w.nodes[1].join("bob/phone")
		alice := w.nodes[0].join("alice")
		w.advance(50 * time.Millisecond)
		if online := w.watches(alice, bob); !slices.Equal(online, []string{"bob/phone"}) {
			t.Fatalf("got %v", online)
		}
		pad := w.nodes[2].join("bob/pad")
		w.advance(50 * time.Millisecond)
		if e := alice.sees(envelope.Online, "bob/pad"); e.Count != 2 {
			t.Errorf("got %+v", e)
		}
		carol := w.nodes[1].join("carol")
		w.advance(50 * time.Millisecond)
		if online := w.watches(carol, bob); !slices.Equal(online, []string{"bob/pad", "bob/phone"}) {
			t.Fatalf("got %v", online)
		}
		w.bye(phone)
		w.advance(w.grace() - 3*time.Second)
		alice.nothing()
		w.advance(4 * time.Second)
		for _, p := range []*peer{alice, carol} {
			if e := p.sees(envelope.Offline, "bob/phone"); e.Count != 1 {
				t.Errorf("got %+v", e)
			}
		}
		w.bye(pad)
		w.advance(w.grace())
		for _, p := range []*peer{alice, carol} {
			p.sees(envelope.Offline, "bob/pad")
			p.nothing()
		}
	})
}

// Whoever goes from node to node is never told to be offline, on the watcher's node or on another.
func TestWhoMovesIsNotOffline(t *testing.T) {
	inTowns(t, 3, messaging.Config{OpenPresence: true}, func(w *town) {
		alice := w.nodes[0].join("alice")
		if online := w.watches(alice, envelope.Envelope{User: []byte("bob")}); online != nil {
			t.Fatalf("got %v", online)
		}
		var bob *peer
		for i, at := range []int{1, 2, 0, 1, 0, 2, 0} {
			bob = w.nodes[at].join("bob/phone")
			w.advance(50 * time.Millisecond)
			if i == 0 {
				alice.sees(envelope.Online, "bob/phone")
			}
			w.advance(w.grace())
			w.advance(w.grace())
			alice.nothing()
		}
		w.bye(bob)
		w.advance(w.grace())
		alice.sees(envelope.Offline, "bob/phone")
		alice.nothing()
	})
}

func TestDevicesOfADeadNodeHaveAGrace(t *testing.T) {
	inTown(t, 3, messaging.Config{OpenPresence: true}, func(w *town) {
		alice := w.nodes[0].join("alice")
		w.nodes[1].join("bob/phone")
		w.nodes[1].join("bob/pad")
		w.advance(0)
		w.watches(alice, envelope.Envelope{User: []byte("bob")})
		w.f.dies("b")
		w.advance(5 * time.Second)
		w.nodes[2].join("bob/phone")
		w.advance(w.grace())
		if e := alice.sees(envelope.Offline, "bob/pad"); e.Count != 1 {
			t.Errorf("got %+v", e)
		}
		w.advance(w.grace())
		alice.nothing()
	})
}

// A node that is lost and comes back within the grace brings its devices along.
func TestNodeThatComesBackBringsItsDevices(t *testing.T) {
	inTown(t, 2, messaging.Config{OpenPresence: true}, func(w *town) {
		alice, bob := w.nodes[0].join("alice"), w.nodes[1].join("bob")
		w.watches(alice, envelope.Envelope{User: []byte("bob")})
		w.f.loses("a", "b")
		w.advance(5 * time.Second)
		w.f.heal("a", "b")
		w.advance(w.grace())
		alice.nothing()
		w.bye(bob)
		w.advance(w.grace())
		alice.sees(envelope.Offline, "bob")
	})
}

// A grace that was over, since the node of a device came back, does not cut the next one of that device short.
func TestEachGraceIsWhole(t *testing.T) {
	inTown(t, 2, messaging.Config{OpenPresence: true}, func(w *town) {
		alice, bob := w.nodes[0].join("alice"), w.nodes[1].join("bob")
		w.watches(alice, envelope.Envelope{User: []byte("bob")})
		w.f.loses("a", "b")
		w.advance(5 * time.Second)
		w.f.heal("a", "b")
		w.advance(time.Second)
		bob.Reset()
		w.advance(w.grace() - 3*time.Second) // since the first began it is longer than one
		alice.nothing()
		bob = w.nodes[1].join("bob")
		w.advance(w.grace())
		alice.nothing()
		w.bye(bob)
		w.advance(w.grace())
		alice.sees(envelope.Offline, "bob")
	})
}

func TestRoomIsWatchedOverNodes(t *testing.T) {
	inTowns(t, 3, messaging.Config{OpenPresence: true}, func(w *town) {
		alice, bob := w.nodes[0].join("alice"), w.nodes[1].join("bob")
		w.advance(50 * time.Millisecond)
		w.joins(bob, "tea", envelope.Position{})
		if online := w.watches(alice, envelope.Envelope{Room: []byte("tea")}); online != nil {
			t.Fatalf("got %v", online)
		}
		carol := w.nodes[2].join("carol")
		w.advance(50 * time.Millisecond)
		w.joins(carol, "tea", envelope.Position{})
		if e := alice.sees(envelope.Online, "carol"); string(e.Room) != "tea" || e.Count != 1 {
			t.Errorf("got %+v", e)
		}
		bob.say(envelope.Envelope{Kind: envelope.Leave, Room: []byte("tea")})
		w.advance(50 * time.Millisecond)
		alice.sees(envelope.Offline, "bob")
		moved := w.nodes[1].join("carol")
		w.advance(50 * time.Millisecond)
		w.joins(moved, "tea", envelope.Position{})
		w.advance(w.grace())
		w.advance(w.grace())
		alice.nothing()
		w.bye(moved)
		w.advance(w.grace())
		alice.sees(envelope.Offline, "carol")
		alice.acked(alice.say(envelope.Envelope{Kind: envelope.Unwatch, Room: []byte("tea")}), envelope.AckTaken)
		w.joins(w.nodes[1].join("dave"), "tea", envelope.Position{})
		alice.nothing()
	})
}

func TestRoomsDevicesOfADeadNodeHaveAGrace(t *testing.T) {
	inTown(t, 3, messaging.Config{OpenPresence: true}, func(w *town) {
		alice, bob, carol := w.nodes[0].join("alice"), w.nodes[1].join("bob"), w.nodes[1].join("carol")
		w.joins(bob, "tea", envelope.Position{})
		w.watches(alice, envelope.Envelope{Room: []byte("tea")})
		w.joins(carol, "tea", envelope.Position{})
		alice.sees(envelope.Online, "carol")
		w.f.dies("b")
		w.advance(5 * time.Second)
		alice.nothing()
		w.joins(w.nodes[2].join("carol"), "tea", envelope.Position{})
		w.advance(w.grace())
		alice.sees(envelope.Offline, "bob")
		w.advance(w.grace())
		alice.nothing()
	})
}

// Who is told that his watch is taken knows who is online at all nodes: else he asks again.
func TestAWatchWithoutAllNodesIsRefused(t *testing.T) {
	inTown(t, 3, messaging.Config{OpenPresence: true}, func(w *town) {
		alice := w.nodes[0].join("alice")
		w.nodes[1].join("bob")
		w.f.freeze("b", true)
		w.advance(0)
		watch := envelope.Envelope{Kind: envelope.Watch, User: []byte("bob")}
		n := alice.say(watch)
		m := alice.to("alice", "behind it")
		w.advance(900 * time.Millisecond)
		alice.nothing()
		w.advance(600 * time.Millisecond)
		alice.refused(n, envelope.CodeTryLater)
		alice.gets("behind it")
		alice.acked(m, envelope.AckDelivered)
		w.f.freeze("b", false)
		w.advance(time.Second)
		if online := w.watches(alice, watch); !slices.Equal(online, []string{"bob"}) {
			t.Errorf("got %v", online)
		}
	})
}

// Who leaves a room while his node has the watcher's for lost, but not the other way round, is told to be offline.
func TestWhoLeftARoomUntoldIsOffline(t *testing.T) {
	inTown(t, 2, messaging.Config{OpenPresence: true}, func(w *town) {
		alice, bob, carol := w.nodes[0].join("alice"), w.nodes[1].join("bob"), w.nodes[1].join("carol")
		w.joins(bob, "tea", envelope.Position{})
		w.joins(carol, "tea", envelope.Position{})
		w.watches(alice, envelope.Envelope{Room: []byte("tea")})
		w.f.loses("b", "a")
		w.advance(50 * time.Millisecond)
		bob.say(envelope.Envelope{Kind: envelope.Leave, Room: []byte("tea")})
		w.advance(50 * time.Millisecond)
		w.f.heal("a", "b")
		w.advance(w.grace())
		alice.sees(envelope.Offline, "bob")
		alice.nothing()
	})
}
