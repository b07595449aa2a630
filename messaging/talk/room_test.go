package talk

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/client"
	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/messaging/envelope"
)

// bench is a Talk without a connection, whose callbacks note what they are told.
type bench struct {
	*testing.T
	*Talk
	told []string
	now  time.Time
}

func newBench(t *testing.T) *bench {
	b := &bench{T: t, now: time.Unix(1_000_000, 0)}
	note := func(format string, args ...any) { b.told = append(b.told, fmt.Sprintf(format, args...)) }
	talk, err := New(Config{
		Client:      client.Config{Endpoints: []string{"127.0.0.1:1"}, ID: "bob/tv"},
		Publication: func(p Publication) { note("%s %d.%d %s", p.Room, p.Position.Epoch, p.Position.Offset, p.Content) },
		Joined:      func(j Joined) { note("joined %s %d", j.Room, j.State) },
		Missed:      func(room string, from, to envelope.Position) { note("missed %s %v %v", room, from, to) },
		Left:        func(room string, why Refusal) { note("left %s %d %s", room, why.Code, why.Reason) },
		Presence:    func(p Presence) { note("%s online %v", p.Device, p.Online) },
		Unwatched:   func(user, room string, why Refusal) { note("unwatched %s%s %d", user, room, why.Code) },
		now:         func() time.Time { return b.now },
	})
	if err != nil {
		t.Fatal(err)
	}
	b.Talk = talk
	return b
}

// session is a new one; "" is the end of one.
func (b *bench) session(name string) {
	state := client.Ready
	if name == "" {
		state = client.BackingOff
	}
	b.stateChange(client.Info{State: state, Node: "n", Session: name})
}

// wantAsked takes all that is to be asked for now.
func (b *bench) wantAsked(want ...string) {
	b.Helper()
	asked := make(map[string]bool)
	for {
		w, e, _ := b.nextWish()
		if e == nil {
			break
		}
		asked[fmt.Sprintf("%v %s%s %v", e.Kind, w.user, w.room, e.Position)] = true
	}
	for _, w := range want {
		if !asked[w] {
			b.Errorf("asked %v, want %q", asked, w)
		}
	}
	if len(asked) != len(want) {
		b.Errorf("asked %v, want %q", asked, want)
	}
}

func (b *bench) wantTold(want ...string) {
	b.Helper()
	if strings.Join(b.told, "; ") != strings.Join(want, "; ") {
		b.Errorf("told %q, want %q", b.told, want)
	}
	b.told = nil
}

func (b *bench) says(epoch, offset uint64) {
	b.publication(&envelope.Envelope{Kind: envelope.Publication, Room: []byte("kitchen"), Position: envelope.Position{Epoch: epoch, Offset: offset},
		ID: envelope.ID{Sender: []byte("alice"), Incarnation: epoch, Number: offset}, Content: []byte("x")})
}

func (b *bench) isJoined(state envelope.State, epoch, offset uint64) {
	b.Talk.joined(&envelope.Envelope{Kind: envelope.Joined, Room: []byte("kitchen"), State: state, Position: envelope.Position{Epoch: epoch, Offset: offset}})
}

func TestRoomIsJoinedAgainFromWhereItWasHeard(t *testing.T) {
	b := newBench(t)
	b.Join("kitchen")
	b.wantAsked() // there is no session
	b.session("1")
	b.wantAsked("join kitchen {0 0}")
	b.wantAsked() // once a session
	b.says(7, 40) // before the answer: not ours yet
	b.isJoined(envelope.Fresh, 7, 40)
	b.says(7, 41)
	b.says(7, 41) // known
	b.says(7, 42)
	b.wantTold("joined kitchen 1", "kitchen 7.41 x", "kitchen 7.42 x")
	b.session("")
	b.wantAsked()
	b.session("2")
	b.wantAsked("join kitchen {7 42}")
	b.isJoined(envelope.Recovered, 7, 42)
	b.says(7, 43)
	b.says(7, 44)
	b.wantTold("joined kitchen 2", "kitchen 7.43 x", "kitchen 7.44 x")
	if at := b.Heard("kitchen"); at != (envelope.Position{Epoch: 7, Offset: 44}) {
		t.Errorf("heard up to %v", at)
	}
}

func TestRoomTellsWhatIsGone(t *testing.T) {
	b := newBench(t)
	b.JoinAt("kitchen", envelope.Position{Epoch: 7, Offset: 10})
	b.session("1")
	b.wantAsked("join kitchen {7 10}")
	b.isJoined(envelope.Missed, 7, 90)
	b.says(7, 91)
	b.wantTold("missed kitchen {7 10} {7 90}", "joined kitchen 3", "kitchen 7.91 x")
	b.session("2") // handed over to a node of another epoch
	b.wantAsked("join kitchen {7 91}")
	b.says(7, 92) // the old node goes on meanwhile
	b.isJoined(envelope.Missed, 8, 5)
	b.says(7, 93) // and after that
	b.says(8, 6)
	b.wantTold("kitchen 7.92 x", "missed kitchen {7 92} {8 5}", "joined kitchen 3", "kitchen 8.6 x")
	b.wantAsked()
}

func TestRoomIsJoinedAnewAtAGap(t *testing.T) {
	b := newBench(t)
	b.Join("kitchen")
	b.session("1")
	b.wantAsked("join kitchen {0 0}")
	b.isJoined(envelope.Fresh, 7, 0)
	b.says(7, 1)
	b.says(7, 4) // 2 and 3 are missing: not a part
	b.says(7, 5)
	b.wantTold("joined kitchen 1", "kitchen 7.1 x")
	b.wantAsked("join kitchen {7 1}")
	b.isJoined(envelope.Recovered, 7, 1)
	for n := range uint64(5) {
		b.says(7, 2+n)
	}
	b.wantTold("joined kitchen 2", "kitchen 7.2 x", "kitchen 7.3 x", "kitchen 7.4 x", "kitchen 7.5 x", "kitchen 7.6 x")
	gap := func(offset uint64) {
		b.gap(&envelope.Envelope{Kind: envelope.Gap, Room: []byte("kitchen"), Position: envelope.Position{Epoch: 7, Offset: offset}})
	}
	gap(6) // nothing is missing
	b.wantAsked()
	gap(8)
	gap(9)
	b.wantAsked("join kitchen {7 6}")
}

func TestRoomDropsWhatWasSaidTwice(t *testing.T) {
	b := newBench(t)
	b.Join("kitchen")
	b.session("1")
	b.isJoined(envelope.Fresh, 7, 0)
	for n := range uint64(3) {
		b.publication(&envelope.Envelope{Kind: envelope.Publication, Room: []byte("kitchen"), Position: envelope.Position{Epoch: 7, Offset: n + 1},
			ID: envelope.ID{Sender: []byte("alice"), Incarnation: 1, Number: n / 2}, Content: []byte("x")})
	}
	b.wantTold("joined kitchen 1", "kitchen 7.1 x", "kitchen 7.3 x")
}

func TestRoomThatIsLeft(t *testing.T) {
	b := newBench(t)
	b.Join("kitchen")
	b.session("1")
	b.wantAsked("join kitchen {0 0}")
	b.isJoined(envelope.Fresh, 7, 0)
	b.Leave("kitchen")
	b.Leave("kitchen")
	b.Leave("never joined")
	b.says(7, 1)
	b.wantAsked("leave kitchen {0 0}")
	b.wantTold("joined kitchen 1")
	b.session("2")
	b.wantAsked()
	b.Join("kitchen")
	b.Leave("kitchen")
	b.Join("kitchen")
	b.wantAsked("join kitchen {0 0}")
	b.left(&envelope.Envelope{Room: []byte("kitchen"), Code: 1000, Reason: []byte("out")})
	b.left(&envelope.Envelope{Room: []byte("kitchen"), Code: 1000})
	b.wantTold("left kitchen 1000 out")
	b.session("3")
	b.wantAsked()
}

func TestWishesThatAreRefused(t *testing.T) {
	b := newBench(t)
	b.Join("kitchen")
	b.Watch("alice")
	b.session("1")
	b.wantAsked("join kitchen {0 0}", "watch alice {0 0}")
	b.refused(wish{room: "kitchen"}, Refusal{Code: envelope.CodeRate})
	b.refused(wish{watch: true, user: "alice"}, Refusal{Code: envelope.CodeForbidden})
	b.wantTold("unwatched alice 1011")
	b.wantAsked()
	b.now = b.now.Add(retryMin * 2)
	b.wantAsked("join kitchen {0 0}")
	b.refused(wish{room: "kitchen"}, Refusal{Code: envelope.CodeRate})
	b.now = b.now.Add(retryMin / 2)
	b.wantAsked()
	b.now = b.now.Add(retryMin * 4)
	b.wantAsked("join kitchen {0 0}")
	b.refused(wish{room: "kitchen"}, Refusal{codec.NackRefused, "no"})
	b.wantTold("left kitchen 100 no")
	b.session("2")
	b.wantAsked()
}

func TestPresenceDropsWhatIsOlder(t *testing.T) {
	b := newBench(t)
	is := func(device string, state envelope.State, stamp uint64) {
		b.presence(&envelope.Envelope{Kind: envelope.Presence, User: []byte("alice"), Device: []byte(device), State: state, Stamp: stamp})
	}
	is("alice/a", envelope.Online, 10)
	is("alice/a", envelope.Offline, 9) // of the session before
	is("alice/b", envelope.Offline, 9)
	is("alice/a", envelope.Offline, 10) // of the session itself
	b.wantTold("alice/a online true", "alice/b online false", "alice/a online false")
	for n := range maxSights + 10 {
		is(fmt.Sprint(n), envelope.Online, 1)
	}
	if len(b.sights) > maxSights {
		t.Errorf("%d devices", len(b.sights))
	}
}

// Who went while there was no session is told to have gone, and a node whose clock was set back is heard.
func TestPresenceIsWholeAgainInANewSession(t *testing.T) {
	b := newBench(t)
	is := func(device string, stamp uint64) {
		b.presence(&envelope.Envelope{Kind: envelope.Presence, User: []byte("alice"), Device: []byte(device), State: envelope.Online, Stamp: stamp})
	}
	b.session("1")
	is("alice/a", 100)
	is("alice/b", 101)
	b.watching("alice", b.Talk.session)
	b.wantTold("alice/a online true", "alice/b online true")
	first := b.Talk.session
	b.session("")
	b.session("2")
	is("alice/b", 7)
	b.watching("alice", first) // of the session before: it tells nothing of this one
	b.watching("bob", b.Talk.session)
	b.wantTold("alice/b online true")
	b.watching("alice", b.Talk.session)
	b.wantTold("alice/a online false")
	b.watching("alice", b.Talk.session)
	is("alice/b", 6)
	b.wantTold()
}
