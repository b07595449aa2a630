package messaging_test

import (
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

// hears takes a publication of that text.
func (p *peer) hears(text string) envelope.Envelope {
	p.r.t.Helper()
	n, e := p.delivered(envelope.Publication)
	if n != 0 || string(e.Content) != text {
		p.r.t.Fatalf("got %d %q, want %q", n, e.Content, text)
	}
	return e
}

func TestRoomGivesOffsets(t *testing.T) {
	inRig(t, messaging.Config{}, func(r *rig) {
		alice, bob := r.join("alice"), r.join("bob")
		if e := alice.joins("tea", envelope.Position{}); e.State != envelope.Fresh || e.Position.Epoch == 0 || e.Count != 1 {
			t.Errorf("got %+v", e)
		}
		if e := bob.joins("tea", envelope.Position{}); e.Count != 2 {
			t.Errorf("got %+v", e)
		}
		for i := range 3 {
			n := alice.toRoom("tea", fmt.Sprint(i))
			alice.acked(n, envelope.AckTaken)
			for _, p := range []*peer{alice, bob} {
				e := p.hears(fmt.Sprint(i))
				if e.Position.Offset != uint64(i+1) || e.ID.Number != n || string(e.ID.Sender) != "alice" || string(e.User) != "alice" {
					t.Errorf("got %+v", e)
				}
			}
		}
		bob.acked(bob.say(envelope.Envelope{Kind: envelope.Leave, Room: []byte("tea")}), envelope.AckTaken)
		alice.toRoom("tea", "bye")
		bob.nothing()
	})
}

func TestReturningMemberRecoversAllOrIsTold(t *testing.T) {
	inRig(t, messaging.Config{RingMessages: 4}, func(r *rig) {
		alice, bob := r.join("alice"), r.join("bob")
		bob.joins("tea", envelope.Position{})
		alice.toRoom("tea", "0")
		had := bob.hears("0").Position
		bob.Reset()
		for i := range 4 {
			alice.toRoom("tea", fmt.Sprint(i+1))
		}
		bob = bob.back()
		if e := bob.joins("tea", had); e.State != envelope.Recovered || e.Position != had {
			t.Errorf("got %+v", e)
		}
		for i := range 4 {
			bob.hears(fmt.Sprint(i + 1))
		}
		alice.toRoom("tea", "5")
		bob.hears("5")
		bob.nothing()

		late := r.join("carol")
		if e := late.joins("tea", had); e.State != envelope.Missed || e.Position.Offset != 6 { // five, and four are kept
			t.Errorf("got %+v", e)
		}
		late.nothing() // never a part
		other := r.join("dave")
		if e := other.joins("tea", envelope.Position{Epoch: had.Epoch + 1, Offset: 6}); e.State != envelope.Missed {
			t.Errorf("got %+v", e)
		}
		ahead := r.join("eve")
		if e := ahead.joins("tea", envelope.Position{Epoch: had.Epoch, Offset: 7}); e.State != envelope.Missed {
			t.Errorf("got %+v", e)
		}
		if e := r.join("frank").joins("tea", envelope.Position{Epoch: had.Epoch, Offset: 6}); e.State != envelope.Recovered {
			t.Errorf("got %+v", e)
		}
	})
}

func TestRingIsBoundedByBytes(t *testing.T) {
	inRig(t, messaging.Config{RingBytes: 1000}, func(r *rig) {
		alice := r.join("alice")
		at := alice.joins("tea", envelope.Position{}).Position
		for range 3 {
			alice.toRoom("tea", strings.Repeat("x", 400))
		}
		bob := r.join("bob")
		if e := bob.joins("tea", at); e.State != envelope.Missed {
			t.Errorf("got %+v", e)
		}
		at.Offset = 1
		bob = r.join("bob/2")
		if e := bob.joins("tea", at); e.State != envelope.Recovered {
			t.Errorf("got %+v", e)
		}
		alice.toRoom("tea", strings.Repeat("x", 2000)) // larger than the ring
		at.Offset = 3
		if e := r.join("bob/3").joins("tea", at); e.State != envelope.Missed {
			t.Errorf("got %+v", e)
		}
	})
}

func TestCopyInTheRingIsRecognised(t *testing.T) {
	inRig(t, messaging.Config{}, func(r *rig) {
		bob := r.join("bob")
		bob.joins("tea", envelope.Position{})
		m := messaging.Message{ID: messaging.ID{Sender: "shop", Incarnation: 1, Number: 1}, Content: []byte("a")}
		first, err := r.hub.PushRoom(t.Context(), "tea", m)
		second, err2 := r.hub.PushRoom(t.Context(), "tea", m)
		if err != nil || err2 != nil || first != second {
			t.Errorf("got %v %v, %v %v", first, err, second, err2)
		}
		r.node.Settle()
		bob.hears("a")
		bob.nothing()
	})
}

func TestSlowMemberIsToldOfAGapWhenItReadsOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, messaging.Config{}, server.Config{SoftQueued: 1000})
		alice, bob := r.join("alice"), r.join("bob")
		bob.joins("tea", envelope.Position{})
		bob.StopReading()
		for i := range 10 {
			alice.toRoom("tea", fmt.Sprintf("%d%s", i, strings.Repeat("x", 300)))
		}
		bob.ReadOn()
		r.node.Advance(time.Second)
		var last, head envelope.Position
		bob.take(func(f codec.Frame) bool { return false })
		for len(bob.frames) > 0 {
			_, body, _ := codec.ParseMessage(bob.frames[0].Payload)
			bob.frames = bob.frames[1:]
			e, err := envelope.Parse(body)
			switch {
			case err != nil:
				t.Fatal(err)
			case e.Kind == envelope.Publication:
				last = e.Position
			case e.Kind == envelope.Gap:
				head = e.Position
			}
		}
		if head.Offset != 10 || last.Offset == 0 || last.Offset >= 10 {
			t.Fatalf("had %v, and was told of %v", last, head)
		}
		if e := bob.joins("tea", last); e.State != envelope.Recovered {
			t.Fatalf("got %+v", e)
		}
		for i := last.Offset; i < 10; i++ {
			if _, e := bob.delivered(envelope.Publication); e.Position.Offset != i+1 {
				t.Errorf("got %v, want %d", e.Position, i+1)
			}
		}
	})
}

func TestLimitsOfRooms(t *testing.T) {
	inRig(t, messaging.Config{MaxRooms: 2, MaxMembers: 1, MaxRoomsTotal: 3}, func(r *rig) {
		join := func(room string) envelope.Envelope { return envelope.Envelope{Kind: envelope.Join, Room: []byte(room)} }
		alice, bob := r.join("alice"), r.join("bob")
		alice.joins("a", envelope.Position{})
		alice.joins("b", envelope.Position{})
		alice.refused(alice.say(join("c")), envelope.CodeTooMany)
		alice.joins("a", envelope.Position{}) // again is no other
		bob.refused(bob.say(join("a")), envelope.CodeFullRoom)
		bob.joins("c", envelope.Position{})
		bob.refused(bob.say(join("d")), envelope.CodeTryLater)
		alice.Reset()
		r.node.Settle()
		bob.joins("a", envelope.Position{}) // its place is free
	})
}

func TestQuestions(t *testing.T) {
	inRig(t, messaging.Config{OpenPresence: true, JoinRate: -1}, func(r *rig) {
		for i := range 25 {
			p := r.join(fmt.Sprintf("user%02d/phone", i))
			if i%5 == 0 {
				p.joins("tea", envelope.Position{})
			}
		}
		alice := r.join("alice/x")
		ask := func(e envelope.Envelope) (names []string, page envelope.Envelope) {
			t.Helper()
			e.Kind = envelope.Ask
			n := alice.Request(encode(t, e))
			if !alice.take(func(f codec.Frame) bool {
				to, body, err := codec.ParseReply(f.Payload)
				if f.Type != codec.Deliver || err != nil || to != n {
					return false
				}
				page, err = envelope.Parse(body)
				return err == nil
			}) {
				t.Fatalf("no page: %v", alice.frames)
			}
			for name, err := range envelope.Names(page.Content) {
				if err != nil {
					t.Fatal(err)
				}
				names = append(names, string(name))
			}
			return names, page
		}
		var all []string
		var after []byte
		for {
			names, page := ask(envelope.Envelope{Question: envelope.OnlineUsers, Prefix: []byte("user"), Limit: 10, After: after})
			if page.Count != 25 || len(names) > 10 {
				t.Errorf("got %d of %d", len(names), page.Count)
			}
			all = append(all, names...)
			if after = page.After; len(after) == 0 {
				break
			}
		}
		if len(all) != 25 || all[0] != "user00" || all[24] != "user24" {
			t.Errorf("got %v", all)
		}
		if names, page := ask(envelope.Envelope{Question: envelope.RoomMembers, Room: []byte("tea")}); fmt.Sprint(names) != "[user00 user05 user10 user15 user20]" || page.Count != 5 {
			t.Errorf("got %v", names)
		}
		if names, _ := ask(envelope.Envelope{Question: envelope.UserDevices, User: []byte("user03")}); fmt.Sprint(names) != "[user03/phone]" {
			t.Errorf("got %v", names)
		}
	})
}
