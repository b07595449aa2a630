package messaging_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/messaging"
	"github.com/stormwheel/stormwheel/messaging/envelope"
	"github.com/stormwheel/stormwheel/messaging/internal/between"
)

// What the bus loses is fetched when the next message shows it, and when none comes a second later.
func TestLostPublicationIsFetched(t *testing.T) {
	inTown(t, 2, messaging.Config{}, func(w *town) {
		alice, bob := w.homeOf("tea").join("alice"), w.notHomes("tea")[0].join("bob")
		w.joins(alice, "tea", envelope.Position{})
		w.joins(bob, "tea", envelope.Position{})
		lose := true
		w.f.mu.Lock()
		w.f.fault = func(_, _ string, body []byte) int {
			if m, err := between.Parse(body); err == nil && m.Kind == between.Said && lose {
				lose = false
				return 0
			}
			return 1
		}
		w.f.mu.Unlock()
		w.toRoom(alice, "tea", "0")
		bob.nothing()
		w.toRoom(alice, "tea", "1")
		bob.hears("0")
		bob.hears("1")
		lose = true
		w.toRoom(alice, "tea", "2")
		bob.nothing()
		w.advance(1500 * time.Millisecond)
		bob.hears("2")
		bob.nothing()
	})
}

// A node that has lost another before anything of its own came there has forgotten what it was asked, too.
func TestForgottenBeforeAnythingWasHeard(t *testing.T) {
	inTown(t, 2, messaging.Config{}, func(w *town) {
		room := w.roomAt("b", "c", 3)
		w.f.faults(func(from, to string) int {
			if from == "c" && to == "a" {
				return 0
			}
			return 1
		})
		w.add(messaging.Config{}, nil)
		w.advance(1100 * time.Millisecond) // nobody waits for a hail any more
		alice, bob := w.nodes[0].join("alice"), w.nodes[1].join("bob")
		n := alice.say(envelope.Envelope{Kind: envelope.Join, Room: []byte(room)})
		w.advance(100 * time.Millisecond)
		w.f.loses("c", "a")
		w.f.faults(func(string, string) int { return 1 })
		w.advance(100 * time.Millisecond)
		w.f.heal("a", "c")
		w.advance(time.Second)
		alice.acked(n, envelope.AckTaken)
		alice.delivered(envelope.Joined)
		w.joins(bob, room, envelope.Position{})
		w.toRoom(bob, room, "0")
		alice.hears("0")
	})
}

// Joins that wait for homes that say nothing do not wait one after the other: a SEND behind them is answered in time.
func TestSendBehindJoinsIsAnsweredInTime(t *testing.T) {
	inTown(t, 2, messaging.Config{}, func(w *town) {
		alice := w.nodes[0].join("alice")
		w.f.freeze("b", true)
		var rooms []string
		for i := 0; len(rooms) < 4; i++ {
			if room := fmt.Sprint("room", i); w.peers[0].Home(room) == "b" {
				rooms = append(rooms, room)
			}
		}
		var joins []uint64
		for _, room := range rooms {
			joins = append(joins, alice.say(envelope.Envelope{Kind: envelope.Join, Room: []byte(room)}))
		}
		n := alice.to("carol", "behind them")
		w.advance(4900 * time.Millisecond)
		for _, join := range joins {
			alice.delivered(envelope.Joined)
			alice.acked(join, envelope.AckTaken)
		}
		alice.acked(n, envelope.AckDurable)
	})
}

// Of three sides two meet first, and begin an epoch in which nothing is said before the third comes back, whose node is the
// home: it hears that they gave offsets all the same.
func TestSidesOfASplitMeetOneAfterTheOther(t *testing.T) {
	inTown(t, 3, messaging.Config{}, func(w *town) {
		home, others := w.homeOf("tea"), w.notHomes("tea")
		alice, bob, carol := home.join("alice"), others[0].join("bob"), others[1].join("carol")
		all := []*peer{alice, bob, carol}
		for _, p := range all {
			w.joins(p, "tea", envelope.Position{})
		}
		names := []string{w.nameOf(home), w.nameOf(others[0]), w.nameOf(others[1])}
		together := map[string]bool{}
		w.w.faults(func(from, to string) int {
			if from == to || together[from] && together[to] {
				return 1
			}
			return 0
		})
		pairs := [][2]string{{names[0], names[1]}, {names[0], names[2]}, {names[1], names[2]}}
		for _, p := range pairs {
			w.w.loses(p[0], p[1])
			w.w.loses(p[1], p[0])
		}
		w.advance(3 * time.Second)
		for _, p := range all {
			w.toRoom(p, "tea", "on one side")
		}
		together[names[1]], together[names[2]] = true, true
		w.w.heal(names[1], names[2])
		w.advance(3 * time.Second)
		alice.gaps() // of what was before
		w.w.faults(func(string, string) int { return 1 })
		w.w.heal(names[0], names[1])
		w.w.heal(names[0], names[2])
		w.advance(5 * time.Second)
		if gaps, _ := alice.gaps(); gaps == 0 {
			t.Error("nobody tells alice that she has not heard what the others said")
		}
	})
}
