package messaging_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/messaging"
	"github.com/stormwheel/stormwheel/messaging/envelope"
)

func (r *rig) userState(name string) messaging.UserState {
	r.t.Helper()
	st, err := r.hub.User(r.t.Context(), name)
	if err != nil {
		r.t.Fatal(err)
	}
	return st
}

func TestWhatTheHubKnowsOfAUser(t *testing.T) {
	inRig(t, messaging.Config{Store: messaging.NewMemory(messaging.Bounds{})}, func(r *rig) {
		if st := r.userState("bob"); st.Online || st.Devices != nil || st.Sessions != nil || st.Waiting.Records != 0 {
			t.Errorf("of nobody: %+v", st)
		}
		if err := r.hub.Push("bob", messaging.Message{Content: []byte("x")}, nil); err != nil {
			t.Fatal(err)
		}
		r.node.Advance(time.Second)
		if st := r.userState("bob"); st.Online || st.Waiting.Records != 1 || st.Waiting.Oldest.IsZero() || st.Waiting.Bytes < messaging.RecordCost {
			t.Errorf("who is away: %+v", st)
		}
		phone, pad := r.join("bob/phone"), r.join("bob/pad")
		phone.delivered(envelope.Message) // and acknowledges nothing
		phone.joins("tea", envelope.Position{})
		st := r.userState("bob")
		if want := []messaging.Device{{ID: "bob/pad", Online: true}, {ID: "bob/phone", Online: true}}; !st.Online || !slices.Equal(st.Devices, want) ||
			len(st.Sessions) != 2 || st.Sessions[1].Ref != pad.Ref() || !slices.Equal(st.Rooms, []string{"tea"}) || st.Unacknowledged != 1 {
			t.Errorf("with two devices: %+v", st)
		}
		phone.Bye()
		st = r.userState("bob")
		if want := []messaging.Device{{ID: "bob/pad", Online: true}, {ID: "bob/phone"}}; !slices.Equal(st.Devices, want) || len(st.Sessions) != 1 {
			t.Errorf("with one in its grace: %+v", st)
		}
		if _, err := r.hub.User(t.Context(), "a\n"); !errors.Is(err, messaging.ErrName) {
			t.Errorf("no name: %v", err)
		}
		stop(r.t, r)
		if _, err := r.hub.User(t.Context(), "bob"); !errors.Is(err, messaging.ErrClosed) {
			t.Errorf("of a closed hub: %v", err)
		}
	})
}

func TestUsersAndMembersInPages(t *testing.T) {
	inRig(t, messaging.Config{}, func(r *rig) {
		for i := range 5 {
			p := r.join(fmt.Sprintf("u%d/x", i))
			if i%2 == 0 {
				p.joins("tea", envelope.Position{})
			}
		}
		r.join("other")
		p, err := r.hub.Users(r.t.Context(), "u", "", 3)
		if err != nil || !slices.Equal(p.Names, []string{"u0", "u1", "u2"}) || p.Count != 5 || !p.More {
			t.Errorf("the first page: %+v, %v", p, err)
		}
		p, err = r.hub.Users(r.t.Context(), "u", "u2", 2)
		if err != nil || !slices.Equal(p.Names, []string{"u3", "u4"}) || p.Count != 5 || p.More {
			t.Errorf("the last page: %+v, %v", p, err)
		}
		p, err = r.hub.Members(r.t.Context(), "tea", "u1", 0) // one at least
		if err != nil || !slices.Equal(p.Names, []string{"u2"}) || p.Count != 3 || !p.More {
			t.Errorf("members: %+v, %v", p, err)
		}
		gone, cancel := context.WithCancel(r.t.Context())
		cancel()
		if _, err := r.hub.Users(gone, "", "", 1); !errors.Is(err, context.Canceled) {
			t.Errorf("with a context that is over: %v", err)
		}
		stop(r.t, r)
		if _, err := r.hub.Members(r.t.Context(), "tea", "", 1); !errors.Is(err, messaging.ErrClosed) {
			t.Errorf("of a closed hub: %v", err)
		}
	})
}

func TestRoomsInPages(t *testing.T) {
	inRig(t, messaging.Config{}, func(r *rig) {
		a := r.join("a")
		for _, room := range []string{"b", "c", "d"} {
			a.joins(room, envelope.Position{})
		}
		at, err := r.hub.PushRoom(t.Context(), "a/quiet one", messaging.Message{Content: []byte("x")})
		if err != nil {
			t.Fatal(err)
		}
		quiet := messaging.RoomState{Name: "a/quiet one", Position: at}
		p, err := r.hub.Rooms(r.t.Context(), "", "", 2)
		if err != nil || len(p.Rooms) != 2 || p.Rooms[0] != quiet || p.Rooms[1].Name != "b" || p.Rooms[1].Members != 1 || p.Count != 4 || !p.More {
			t.Errorf("the first page: %+v, %v", p, err)
		}
		p, err = r.hub.Rooms(r.t.Context(), "", "b", 2)
		if err != nil || len(p.Rooms) != 2 || p.Rooms[1].Name != "d" || p.More {
			t.Errorf("the last page: %+v, %v", p, err)
		}
		if st, ok, _ := r.hub.Room(t.Context(), "a/quiet one"); !ok || st != quiet {
			t.Errorf("one room: %+v, %v", st, ok)
		}
		if _, ok, _ := r.hub.Room(t.Context(), "elsewhere"); ok {
			t.Error("the hub knows a room that nobody has named")
		}
	})
}
