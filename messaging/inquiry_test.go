package messaging_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/messaging"
	"github.com/stormwheel/stormwheel/messaging/envelope"
	"github.com/stormwheel/stormwheel/server"
)

func TestAnyNodeAnswersForAll(t *testing.T) {
	inTowns(t, 3, messaging.Config{OpenPresence: true}, func(w *town) {
		var all []*peer
		for i := range 9 {
			p := w.nodes[i%3].join(fmt.Sprintf("user%d/phone", i))
			w.joins(p, "tea", envelope.Position{})
			all = append(all, p)
		}
		w.nodes[2].join("user0/pad")
		w.joins(all[0], "coffee", envelope.Position{})
		w.toRoom(all[4], "tea", "x")
		for _, r := range w.nodes {
			var users, sessions []string
			for after := ""; ; {
				p, err := r.hub.Users(w.t.Context(), "user", after, 4)
				if err != nil || p.Partial {
					t.Fatalf("%+v, %v", p, err)
				}
				users = append(users, p.Names...)
				if !p.More {
					break
				}
				after = p.Names[len(p.Names)-1]
			}
			if len(users) != 9 || users[0] != "user0" || users[8] != "user8" {
				t.Errorf("users %v", users)
			}
			for after := (server.Ref{}); ; {
				p, err := r.hub.Sessions(w.t.Context(), after, 3)
				if err != nil || p.Partial || len(p.Sessions) > 3 {
					t.Fatalf("%+v, %v", p, err)
				}
				for _, s := range p.Sessions {
					sessions = append(sessions, s.Client)
				}
				if after = p.Last; !p.More {
					break
				}
			}
			slices.Sort(sessions)
			if len(sessions) != 10 || len(slices.Compact(sessions)) != 10 {
				t.Errorf("sessions %v", sessions)
			}
			st, err := r.hub.User(w.t.Context(), "user0")
			if err != nil || len(st.Sessions) != 2 || len(st.Devices) != 2 || !slices.Equal(st.Rooms, []string{"coffee", "tea"}) || st.Partial {
				t.Errorf("%+v, %v", st, err)
			}
			room, ok, err := r.hub.Room(w.t.Context(), "tea")
			if !ok || err != nil || room.Members != 9 || room.Position.Offset != 1 || room.Home != w.nameOf(w.homeOf("tea")) {
				t.Errorf("%+v, %v, %v", room, ok, err)
			}
			if p, err := r.hub.Rooms(w.t.Context(), "", "", 10); err != nil || p.Count != 2 || len(p.Rooms) != 2 || p.Rooms[0].Name != "coffee" || p.Rooms[1] != room {
				t.Errorf("%+v, %v", p, err)
			}
			if p, err := r.hub.Members(w.t.Context(), "tea", "", 10); err != nil || len(p.Names) != 9 || p.Count != 9 {
				t.Errorf("%+v, %v", p, err)
			}
		}
		n := all[0].Request(encode(t, envelope.Envelope{Kind: envelope.Ask, Question: envelope.RoomMembers, Room: []byte("tea")}))
		w.advance(50 * time.Millisecond)
		if !all[0].take(func(f codec.Frame) bool {
			to, body, err := codec.ParseReply(f.Payload)
			if f.Type != codec.Deliver || err != nil || to != n {
				return false
			}
			page, err := envelope.Parse(body)
			return err == nil && page.Count == 9
		}) {
			t.Errorf("no page: %v", all[0].frames)
		}
	})
}

func TestSessionsOfAnyNodeAreEnded(t *testing.T) {
	inTowns(t, 3, messaging.Config{}, func(w *town) {
		for i, r := range w.nodes {
			p := w.nodes[2].join(fmt.Sprint("bob/", i))
			name := p.Ref().SessionID().String()
			if s, err := r.hub.Session(w.t.Context(), name); err != nil || s.Client != fmt.Sprint("bob/", i) || s.Ref != p.Ref() {
				t.Errorf("%+v, %v", s, err)
			}
			if err := r.hub.CloseSession(w.t.Context(), name, server.Close{Reason: "go"}); err != nil {
				t.Error(err)
			}
			w.advance(100 * time.Millisecond)
			if !p.Ended() {
				t.Error("it lives")
			}
			for range 2 {
				if _, err := r.hub.Session(w.t.Context(), name); !errors.Is(err, messaging.ErrNoSession) {
					t.Errorf("got %v", err)
				}
				if err := r.hub.CloseSession(w.t.Context(), name, server.Close{}); !errors.Is(err, messaging.ErrNoSession) {
					t.Errorf("got %v", err)
				}
			}
		}
	})
}

func TestBroadcastReachesAllNodes(t *testing.T) {
	inTowns(t, 3, messaging.Config{}, func(w *town) {
		var all []*peer
		for i, r := range w.nodes {
			all = append(all, r.join(fmt.Sprint("user", i)))
		}
		if n, err := w.nodes[1].hub.Broadcast(w.t.Context(), messaging.Message{Content: []byte("all")}); err != nil || n != 3 {
			t.Errorf("%d, %v", n, err)
		}
		w.advance(50 * time.Millisecond)
		for _, p := range all {
			if _, e := p.delivered(envelope.Message); string(e.Content) != "all" {
				t.Errorf("got %q", e.Content)
			}
			p.nothing()
		}
	})
}

// A node that does not answer is left out after a second, and the answer says so.
func TestAnswersWithoutANodeArePartial(t *testing.T) {
	inTown(t, 3, messaging.Config{}, func(w *town) {
		for i, r := range w.nodes {
			w.joins(r.join(fmt.Sprint("user", i)), "tea", envelope.Position{})
		}
		w.f.freeze("b", true)
		hub := w.nodes[0].hub
		began := time.Now()
		if p, err := hub.Users(w.t.Context(), "", "", 10); err != nil || !p.Partial || !slices.Equal(p.Names, []string{"user0", "user2"}) {
			t.Errorf("%+v, %v", p, err)
		}
		if d := time.Since(began); d != time.Second {
			t.Errorf("it took %v", d)
		}
		if st, ok, err := hub.Room(w.t.Context(), "tea"); !ok || err != nil || !st.Partial || st.Members != 2 {
			t.Errorf("%+v, %v, %v", st, ok, err)
		}
		if p, err := hub.Sessions(w.t.Context(), server.Ref{}, 10); err != nil || !p.Partial || len(p.Sessions) != 2 {
			t.Errorf("%+v, %v", p, err)
		}
		if st, err := hub.User(w.t.Context(), "user1"); err != nil || !st.Partial || st.Online {
			t.Errorf("%+v, %v", st, err)
		}
		if n, err := hub.Broadcast(w.t.Context(), messaging.Message{}); !errors.Is(err, messaging.ErrPartial) || n != 2 {
			t.Errorf("%d, %v", n, err)
		}
		if _, err := hub.Session(w.t.Context(), "0000000000000001-0000000000000001"); !errors.Is(err, messaging.ErrPartial) {
			t.Errorf("got %v", err)
		}
	})
}
