package messaging_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/messaging"
	"github.com/stormwheel/stormwheel/messaging/envelope"
)

// homeOf is the node that gives the offsets of a room.
func (w *town) homeOf(room string) *rig {
	for i, r := range w.nodes {
		if w.f == nil || !w.f.nodes[w.nameOf(r)].ended {
			return w.nodes[w.peers[i].Home(room)[0]-'a']
		}
	}
	return nil
}

// notHomes are the others.
func (w *town) notHomes(room string) (all []*rig) {
	for _, r := range w.nodes {
		if r != w.homeOf(room) {
			all = append(all, r)
		}
	}
	return all
}

// joinsLater is joins where the answer needs other nodes.
func (w *town) joins(p *peer, room string, since envelope.Position) envelope.Envelope {
	w.t.Helper()
	n := p.say(envelope.Envelope{Kind: envelope.Join, Room: []byte(room), Position: since})
	w.advance(100 * time.Millisecond)
	_, e := p.delivered(envelope.Joined)
	p.acked(n, envelope.AckTaken)
	return e
}

func (w *town) toRoom(p *peer, room, text string) {
	w.t.Helper()
	n := p.toRoom(room, text)
	w.advance(100 * time.Millisecond)
	p.acked(n, envelope.AckTaken)
}

func TestRoomIsOneOnAllNodes(t *testing.T) {
	inTown(t, 3, messaging.Config{}, func(w *town) {
		var all []*peer
		var first envelope.Position
		for i, r := range w.nodes {
			p := r.join(fmt.Sprint("user", i))
			e := w.joins(p, "tea", envelope.Position{})
			if e.State != envelope.Fresh || i > 0 && e.Position != first {
				t.Fatalf("got %+v", e)
			}
			first = e.Position
			all = append(all, p)
		}
		for i := range 9 {
			w.toRoom(all[i%3], "tea", fmt.Sprint(i))
			for _, p := range all {
				if e := p.hears(fmt.Sprint(i)); e.Position != (envelope.Position{Epoch: first.Epoch, Offset: uint64(i + 1)}) {
					t.Fatalf("got %v", e.Position)
				}
			}
		}
		for _, r := range w.nodes {
			late := r.join("late")
			since := envelope.Position{Epoch: first.Epoch, Offset: 4}
			if e := w.joins(late, "tea", since); e.State != envelope.Recovered || e.Position != since {
				t.Fatalf("got %+v", e)
			}
			for i := 4; i < 9; i++ {
				late.hears(fmt.Sprint(i))
			}
		}
	})
}

// The home dies: members are told once, and who sent something is answered.
func TestHomeIsKilled(t *testing.T) {
	inTown(t, 3, messaging.Config{}, func(w *town) {
		home := w.homeOf("tea")
		others := w.notHomes("tea")
		alice, bob := others[0].join("alice"), others[1].join("bob")
		w.joins(alice, "tea", envelope.Position{})
		at := w.joins(bob, "tea", envelope.Position{}).Position
		w.toRoom(alice, "tea", "before")
		alice.hears("before")
		at = bob.hears("before").Position
		w.f.freeze(w.nameOf(home), true)
		n := alice.toRoom("tea", "while it dies")
		w.advance(time.Second)
		w.f.dies(w.nameOf(home))
		w.advance(time.Second)
		alice.acked(n, envelope.AckTaken)
		for _, p := range []*peer{alice, bob} {
			_, gap := p.delivered(envelope.Gap)
			if gap.Position.Epoch == at.Epoch || gap.Position.Epoch == 0 {
				t.Fatalf("got %+v", gap)
			}
			p.hears("while it dies")
			if e := w.joins(p, "tea", at); e.State != envelope.Missed || e.Position.Epoch != gap.Position.Epoch {
				t.Fatalf("got %+v", e)
			}
		}
		w.toRoom(bob, "tea", "after")
		alice.hears("after")
		bob.hears("after")
		w.advance(10 * time.Second)
		alice.nothing()
		bob.nothing()
	})
}

func (w *town) nameOf(r *rig) string {
	for i, o := range w.nodes {
		if o == r {
			return string(rune('a' + i))
		}
	}
	return ""
}
