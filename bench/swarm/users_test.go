package swarm

import (
	"slices"
	"testing"
)

func TestEveryoneInAPairHasTheOther(t *testing.T) {
	talk := Talk{Rooms: 2, RoomSize: 3, Deaf: 4}
	deaf := 0
	for user := range 16 {
		to := talk.Addressees(user)
		room, in := talk.room(user)
		switch {
		case in != (user < 6) || in && (room != user/3 || !slices.Equal(to, []int{room * 3, room*3 + 1, room*3 + 2})):
			t.Errorf("%d in room %d, %v: to %v", user, room, in, to)
		case !in && (len(to) != 1 || to[0] == user || talk.Addressees(to[0])[0] != user || to[0] < 6 || to[0] > 15):
			t.Errorf("%d in a pair: to %v", user, to)
		}
		if talk.deaf(user, 16) {
			if deaf++; in {
				t.Errorf("%d is in a room and deaf", user)
			}
		}
	}
	if deaf != 4 {
		t.Errorf("%d are deaf, want 4", deaf)
	}
}

func TestWhoSpeaksInARoom(t *testing.T) {
	for _, c := range []struct {
		talk Talk
		want []int
	}{
		{Talk{Rooms: 2, RoomSize: 3}, []int{0, 1, 2, 3, 4, 5, 6, 7}},
		{Talk{Rooms: 2, RoomSize: 3, Speakers: 3}, []int{0, 1, 2, 3, 4, 5, 6, 7}},
		{Talk{Rooms: 2, RoomSize: 3, Speakers: 1}, []int{0, 3, 6, 7}},
		{Talk{Speakers: 1}, []int{0, 1, 2, 3, 4, 5, 6, 7}},
	} {
		var got []int
		for user := range 8 {
			if c.talk.speaks(user) {
				got = append(got, user)
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%+v: %v speak, want %v", c.talk, got, c.want)
		}
	}
}

func TestAnIDNamesItsClient(t *testing.T) {
	for _, devices := range []int{1, 3} {
		talk := &Talk{Devices: devices}
		s := &Swarm{cfg: Config{Seed: 7, Conns: 12, Talk: talk}}
		id := talk.deviceID(clientPrefix(7))
		for client := range 12 {
			name := id(tenancy(client, 0))
			if got, ok := s.clientOf(name); !ok || got != client {
				t.Errorf("%s is client %d, %v, want %d", name, got, ok, client)
			}
		}
		for _, no := range []string{"", "bob", "bench-7-", "bench-7-x", "bench-7--1", "bench-8-1", "bench-7-12", "bench-7-1/9", id(tenancy(12, 0))} {
			if got, ok := s.clientOf(no); ok {
				t.Errorf("%q is client %d", no, got)
			}
		}
	}
}
