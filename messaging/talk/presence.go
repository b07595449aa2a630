package talk

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/stormwheel/stormwheel/messaging/envelope"
)

// Presence is a device that came or went.
type Presence struct {
	User    string
	Device  string // its client id
	Online  bool
	Devices uint64    // of the user that are online, this one included; 0 where the node does not say
	Room    string    // in which it is watched; "" for the user alone
	At      time.Time // the node's clock; zero if it does not say, or if the device went while there was no session
}

// maxSights is of how many devices is remembered what was told.
const maxSights = 16_384

// sight is what was told of a device.
type sight struct {
	user, device, room string
	stamp              uint64
	online             bool
	session            string // in which it was told: in another, stamps count anew
}

// Watch asks for the presence of a user, now and in every session to come until Unwatch: in each, who is
// online is told, and of whom that was told before, who has gone. Config.Unwatched tells if the node
// refuses. It does not wait.
func (t *Talk) Watch(user string) { t.want(wish{watch: true, user: user}, envelope.Position{}) }

// Unwatch ends Watch.
func (t *Talk) Unwatch(user string) {
	t.unwant(wish{watch: true, user: user})
	t.mu.Lock()
	maps.DeleteFunc(t.sights, func(_ string, s sight) bool { return s.user == user && s.room == "" })
	t.mu.Unlock()
}

// WatchRoom asks for those who come to a room and go from it. Who is there already is not told: see
// Members, also in each new session.
func (t *Talk) WatchRoom(room string) { t.want(wish{watch: true, room: room}, envelope.Position{}) }

// UnwatchRoom ends WatchRoom.
func (t *Talk) UnwatchRoom(room string) { t.unwant(wish{watch: true, room: room}) }

// presence drops what is older than what was told of the device.
func (t *Talk) presence(e *envelope.Envelope) {
	key := string(e.Device) + "\x00" + string(e.Room)
	t.mu.Lock()
	told := t.sights[key]
	old := told.session == t.session && e.Stamp < told.stamp
	if !old {
		if len(t.sights) >= maxSights {
			clear(t.sights)
		}
		t.sights[key] = sight{string(e.User), string(e.Device), string(e.Room), e.Stamp, e.State == envelope.Online, t.session}
	}
	t.mu.Unlock()
	if !old && t.cfg.Presence != nil {
		t.cfg.Presence(Presence{string(e.User), string(e.Device), e.State == envelope.Online, e.Count, string(e.Room), e.Taken})
	}
}

// watching is told that the node has granted a watch, behind all that it told of the user first: devices that
// were online in an earlier session, and of which it told nothing, have gone meanwhile.
func (t *Talk) watching(user, session string) {
	t.mu.Lock()
	var gone []Presence
	for key, s := range t.sights {
		if session == t.session && s.user == user && s.room == "" && s.online && s.session != session {
			s.online, s.session = false, session
			t.sights[key] = s
			gone = append(gone, Presence{User: s.user, Device: s.device})
		}
	}
	t.mu.Unlock()
	slices.SortFunc(gone, func(a, b Presence) int { return strings.Compare(a.Device, b.Device) })
	for _, p := range gone {
		if t.cfg.Presence != nil {
			t.cfg.Presence(p)
		}
	}
}

// Page is a part of the answer to a question.
type Page struct {
	Names []string
	After string // ask again with it; "": this was the last
	Count uint64 // how many there are in all; 0 if the node does not say
}

// Online asks who is online, of those whose names begin with prefix, from behind after on, at most limit
// (0: as the node likes). Its errors are those of client.Client.Request.
func (t *Talk) Online(ctx context.Context, prefix, after string, limit int) (Page, error) {
	return t.question(ctx, &envelope.Envelope{Question: envelope.OnlineUsers, Prefix: []byte(prefix)}, after, limit)
}

// Members asks who is in a room, as Online does.
func (t *Talk) Members(ctx context.Context, room, after string, limit int) (Page, error) {
	return t.question(ctx, &envelope.Envelope{Question: envelope.RoomMembers, Room: []byte(room)}, after, limit)
}

// Devices asks for the client ids under which a user is online, as Online does.
func (t *Talk) Devices(ctx context.Context, user, after string, limit int) (Page, error) {
	return t.question(ctx, &envelope.Envelope{Question: envelope.UserDevices, User: []byte(user)}, after, limit)
}

func (t *Talk) question(ctx context.Context, e *envelope.Envelope, after string, limit int) (p Page, err error) {
	e.Kind, e.After, e.Limit = envelope.Ask, []byte(after), uint16(min(max(limit, 0), 65535))
	body, err := envelope.Append(nil, e)
	if err != nil {
		return p, err
	}
	reply, err := t.client.Request(ctx, body)
	if err != nil {
		return p, err
	}
	page, err := envelope.Parse(reply)
	if err != nil {
		return p, err
	}
	if page.Kind != envelope.Page {
		return p, errors.New("talk: the node has not answered with a page")
	}
	for name, err := range envelope.Names(page.Content) {
		if err != nil {
			return p, err
		}
		p.Names = append(p.Names, string(name))
	}
	p.After, p.Count = string(page.After), page.Count
	return p, nil
}
