package messaging_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
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

// Who joins is told how many are in the room on all nodes, whichever of them is its home, and when the home is another.
func TestWhoJoinsIsToldHowManyAreThere(t *testing.T) {
	inTowns(t, 3, messaging.Config{}, func(w *town) {
		var all []*peer
		expect := func(at *rig, want uint64) {
			t.Helper()
			p := at.join(fmt.Sprint("user", len(all)))
			if e := w.joins(p, "tea", envelope.Position{}); e.Count != want {
				t.Errorf("user%d is told of %d members, want %d", len(all), e.Count, want)
			}
			all = append(all, p)
			w.advance(3 * time.Second)
		}
		for i := range 9 {
			expect(w.nodes[i%3], uint64(i+1))
		}
		for _, p := range all[:4] {
			w.bye(p)
		}
		w.advance(3 * time.Second)
		expect(w.nodes[0], 6)
		home := w.homeOf("tea")
		others := w.notHomes("tea")
		var stay uint64
		for _, at := range []int{1, 2, 0, 1, 2, 0} { // where those are that have not left
			if w.nodes[at] != home {
				stay++
			}
		}
		w.w.dies(w.nameOf(home))
		w.advance(6 * time.Second)
		expect(others[0], stay+1)
		expect(others[1], stay+2)
	})
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
		w.joins(bob, "tea", envelope.Position{})
		w.toRoom(alice, "tea", "before")
		alice.hears("before")
		at := bob.hears("before").Position
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

// gaps takes all that has come, and counts the gaps that it was told of and the publications.
func (p *peer) gaps() (gaps, heard int) {
	p.take(func(codec.Frame) bool { return false })
	for _, f := range p.frames {
		if _, body, err := codec.ParseMessage(f.Payload); f.Type == codec.Deliver && err == nil {
			switch e, _ := envelope.Parse(body); e.Kind {
			case envelope.Gap:
				gaps++
			case envelope.Publication:
				heard++
			}
		}
	}
	p.frames = nil
	return gaps, heard
}

// roomAt is a room whose home is one node now, and another when there are so many nodes.
func (w *town) roomAt(home, later string, nodes int) string {
	for n := 1; n < 100; n++ {
		names, room := []string{"a", "b", "c", "d", "e"}, fmt.Sprint("room", n)
		if homeAmong(names[:len(w.nodes)], room) == home && homeAmong(names[:nodes], room) == later {
			return room
		}
	}
	w.t.Fatal("no such room")
	return ""
}

// A node joins, and takes some rooms: their members are told once. What is said from then on they hear; what is said
// while some know of it, and others not, they hear once, or have missed, as they are told.
func TestNodeThatJoinsTakesItsRooms(t *testing.T) {
	for name, known := range map[string]time.Duration{"at once": 0, "when all know": time.Second} {
		t.Run(name, func(t *testing.T) {
			inTown(t, 2, messaging.Config{}, func(w *town) { joinsTown(w, known) })
		})
	}
}

// joinsTown has a node join and, so much later, somebody say something.
func joinsTown(w *town, known time.Duration) {
	room := w.roomAt("b", "c", 3)
	alice, bob := w.nodes[0].join("alice"), w.nodes[1].join("bob")
	w.joins(alice, room, envelope.Position{})
	w.joins(bob, room, envelope.Position{})
	w.toRoom(alice, room, "0")
	alice.hears("0")
	at := bob.hears("0").Position
	w.add(messaging.Config{}, nil)
	if known > 0 {
		w.advance(known)
	}
	n := alice.toRoom(room, "1")
	w.advance(time.Second)
	alice.acked(n, envelope.AckTaken)
	for _, p := range []*peer{alice, bob} {
		gaps, heard := p.gaps()
		if gaps != 1 || heard > 1 || known > 0 && heard != 1 {
			w.t.Errorf("%d gaps, %d messages", gaps, heard)
		}
		if e := w.joins(p, room, at); e.State != envelope.Missed {
			w.t.Errorf("got %+v", e)
		}
	}
	w.advance(2 * time.Second)
	w.toRoom(bob, room, "2")
	alice.hears("2")
	bob.hears("2")
	w.advance(10 * time.Second)
	alice.nothing()
	bob.nothing()
}

// What a client says while the home dies is said in its order at the next one.
func TestSayingsKeepTheirOrderOverADeath(t *testing.T) {
	inTown(t, 3, messaging.Config{}, func(w *town) {
		home, others := w.homeOf("tea"), w.notHomes("tea")
		alice := others[0].join("alice")
		w.joins(alice, "tea", envelope.Position{})
		w.f.freeze(w.nameOf(home), true)
		var numbers []uint64
		for i := range 20 {
			numbers = append(numbers, alice.toRoom("tea", fmt.Sprint(i)))
			w.advance(50 * time.Millisecond)
		}
		w.f.dies(w.nameOf(home))
		w.advance(time.Second)
		for _, n := range numbers {
			alice.acked(n, envelope.AckTaken)
		}
		alice.delivered(envelope.Gap)
		for i := range 20 {
			alice.hears(fmt.Sprint(i))
		}
		alice.nothing()
	})
}

// A home that does not answer holds nobody up for longer than is promised.
func TestSilentHome(t *testing.T) {
	inTown(t, 2, messaging.Config{}, func(w *town) {
		home, other := w.homeOf("tea"), w.notHomes("tea")[0]
		alice := other.join("alice")
		w.f.freeze(w.nameOf(home), true)
		join := alice.say(envelope.Envelope{Kind: envelope.Join, Room: []byte("tea"), Position: envelope.Position{Epoch: 7, Offset: 3}})
		leave := alice.say(envelope.Envelope{Kind: envelope.Leave, Room: []byte("tea")})
		again := alice.say(envelope.Envelope{Kind: envelope.Join, Room: []byte("tea")})
		w.advance(1900 * time.Millisecond)
		alice.nothing()
		w.advance(400 * time.Millisecond)
		if _, e := alice.delivered(envelope.Joined); e.State != envelope.Missed {
			t.Errorf("got %+v", e)
		}
		alice.acked(join, envelope.AckTaken)
		alice.acked(leave, envelope.AckTaken)
		w.advance(2300 * time.Millisecond)
		_, e := alice.delivered(envelope.Joined)
		alice.acked(again, envelope.AckTaken)
		n := alice.toRoom("tea", "hi")
		w.advance(3900 * time.Millisecond)
		alice.nothing()
		w.advance(900 * time.Millisecond)
		alice.refused(n, envelope.CodeTryLater)
		if _, err := other.hub.PushRoom(w.t.Context(), "tea", messaging.Message{}); err == nil {
			t.Error("PushRoom has found a home")
		}
		w.f.freeze(w.nameOf(home), false)
		w.advance(time.Second)
		if _, gap := alice.delivered(envelope.Gap); gap.Position.Epoch == e.Position.Epoch {
			t.Errorf("got %+v, was at %v", gap, e.Position)
		}
	})
}

// What has no members here is forgotten, and what others follow is not.
func TestRoomsOverNodesAreBounded(t *testing.T) {
	inTown(t, 2, messaging.Config{MaxRoomsTotal: 40}, func(w *town) {
		home, other := w.homeOf("tea"), w.notHomes("tea")[0]
		alice := other.join("alice")
		w.joins(alice, "tea", envelope.Position{})
		at := w.joins(alice, "tea", envelope.Position{}).Position
		for i := range 500 {
			_, _ = other.hub.PushRoom(w.t.Context(), fmt.Sprintf("r%0*d", i%2+3, i), messaging.Message{}) // refused where its part of the table is full of others
		}
		w.advance(time.Second)
		if home.hub.Stats().Rooms > 40 || other.hub.Stats().Rooms > 40 {
			t.Errorf("%+v, %+v", home.hub.Stats(), other.hub.Stats())
		}
		if pos, err := other.hub.PushRoom(w.t.Context(), "tea", messaging.Message{}); err != nil || pos.Epoch != at.Epoch {
			t.Errorf("its home has forgotten it: %v, %v", pos, err)
		}
		bob := other.join("bob")
		if e := w.joins(bob, "tea", at); e.State != envelope.Recovered {
			t.Errorf("the room was forgotten: %+v", e)
		}
		if st := other.hub.Stats(); st.Members != 2 {
			t.Errorf("%+v", st)
		}
		bob.drain()
		rooms := other.hub.Stats().Rooms
		alice.say(envelope.Envelope{Kind: envelope.Leave, Room: []byte("tea")})
		other.node.Settle()
		if st := other.hub.Stats(); st.Rooms != rooms {
			t.Errorf("a room that bob is in was forgotten: %+v", st)
		}
		bob.Bye()
		w.advance(2 * time.Second)
		if st := other.hub.Stats(); st.Rooms != rooms-1 || st.Members != 0 {
			t.Errorf("a room without members is kept: %+v", st)
		}
	})
}

// All rooms of a dead home find another, however many they are.
func TestManyRoomsFindAnotherHome(t *testing.T) {
	inTown(t, 3, messaging.Config{MaxRooms: 300, JoinRate: -1}, func(w *town) {
		members := []*peer{w.nodes[0].join("alice"), w.nodes[1].join("bob")}
		const rooms = 250
		for i := range rooms {
			for _, p := range members {
				p.say(envelope.Envelope{Kind: envelope.Join, Room: fmt.Appendf(nil, "%*d", i%100+1, i)})
			}
		}
		w.advance(time.Second)
		w.f.dies("c")
		w.advance(time.Second)
		for _, p := range members {
			p.drain()
		}
		for i := range rooms {
			if _, err := w.nodes[0].hub.PushRoom(w.t.Context(), fmt.Sprintf("%*d", i%100+1, i), messaging.Message{Content: []byte("x")}); err != nil {
				t.Fatal(i, err)
			}
		}
		w.advance(time.Second)
		for _, p := range members {
			for range rooms {
				p.hears("x")
			}
		}
	})
}
