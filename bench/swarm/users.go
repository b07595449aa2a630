package swarm

import (
	"strconv"
	"strings"
)

// Talk has the clients be users of a node that carries messages between them (docs/MESSAGING.md). The first
// Rooms*RoomSize users are in rooms, one each, and talk there; all others talk in pairs. It is the same in
// every process.
type Talk struct {
	Rooms, RoomSize int
	Speakers        int // of a room, the first ones; the others listen. 0: all of it speak
	Devices         int // clients of a user, which all send; 0 is 1
	Deaf            int // of those in pairs, read what comes and do not acknowledge it before Hear
}

// devices is how many clients a user has.
func (t *Talk) devices() int { return max(t.Devices, 1) }

// user is whose device a client is.
func (t *Talk) user(client int) int { return client / t.devices() }

// room is where a user talks; not ok: in a pair.
func (t *Talk) room(user int) (room int, ok bool) {
	if t.RoomSize == 0 || user >= t.Rooms*t.RoomSize {
		return 0, false
	}
	return user / t.RoomSize, true
}

// speaks reports whether a user has messages to send: all do but those who only listen in a room.
func (t *Talk) speaks(user int) bool {
	_, in := t.room(user)
	return !in || t.Speakers == 0 || user%t.RoomSize < t.Speakers
}

// partner is the other one of a pair.
func (t *Talk) partner(user int) int {
	first := t.Rooms * t.RoomSize
	return (user - first) ^ 1 + first
}

// Addressees are who is to have what a user sends.
func (t *Talk) Addressees(user int) []int {
	room, ok := t.room(user)
	if !ok {
		return []int{t.partner(user)}
	}
	all := make([]int, t.RoomSize)
	for i := range all {
		all[i] = room*t.RoomSize + i
	}
	return all
}

// deaf reports whether a user is one of those, evenly from all in pairs.
func (t *Talk) deaf(user, users int) bool {
	first := t.Rooms * t.RoomSize
	at, all := user-first, users-first
	return at >= 0 && (at+1)*t.Deaf/all > at*t.Deaf/all
}

// userName and roomName are the names of a run's users and rooms.
func (s *Swarm) userName(user int) string { return clientPrefix(s.cfg.Seed) + strconv.Itoa(user) }

func (s *Swarm) roomName(room int) string {
	return clientPrefix(s.cfg.Seed) + "room-" + strconv.Itoa(room)
}

// deviceID makes the id of a tenancy, of which there is one a client. Of several devices each has its letter.
func (t *Talk) deviceID(prefix string) func(tenancy uint64) string {
	return func(tenancy uint64) string {
		client := int(tenancy >> 16)
		id := prefix + strconv.Itoa(t.user(client))
		if n := t.devices(); n > 1 {
			id += "/" + strconv.Itoa(client%n)
		}
		return id
	}
}

// clientOf is the number of the client that has an id; not ok: none of this run.
func (s *Swarm) clientOf(id string) (client int, ok bool) {
	name, mine := strings.CutPrefix(id, clientPrefix(s.cfg.Seed))
	user, device, several := strings.Cut(name, "/")
	n := s.cfg.Talk.devices()
	if !mine || several != (n > 1) {
		return 0, false
	}
	u, err := strconv.Atoi(user)
	d := 0
	if err == nil && several {
		d, err = strconv.Atoi(device)
	}
	client = u*n + d
	return client, err == nil && u >= 0 && d >= 0 && d < n && client < s.cfg.Conns
}
