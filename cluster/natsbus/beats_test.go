//go:build !nonats

package natsbus

import (
	"slices"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/cluster"
	"github.com/stormwheel/stormwheel/cluster/bustest"
)

// A node that is frozen, or cut off, keeps its connections for a while, and says nothing.
func TestANodeThatSaysNothingIsLost(t *testing.T) {
	t.Parallel()
	a := open(t, Config{Node: "a", Listen: "127.0.0.1:0"})
	b := open(t, Config{Node: "b", Listen: "127.0.0.1:0", Peers: []string{a.RouteAddr()}})
	c := open(t, Config{Node: "c", Listen: "127.0.0.1:0", Peers: []string{a.RouteAddr()}})
	bustest.Met(t, []cluster.Bus{a, b, c})
	lost := make(chan string, 2)
	a.Watch("b", func() { lost <- "b" })
	a.Watch("c", func() { lost <- "c" })
	until(t, "a has heard both", func() bool { return heard(a.node.beats, "b") && heard(a.node.beats, "c") })
	b.node.cancel() // it says nothing by itself any more
	if got := receive(t, lost); got != "b" {
		t.Errorf("%s is lost, want b", got)
	}
	if len(lost) > 0 {
		t.Errorf("%s is lost, too", <-lost)
	}
	if routes := a.Stats().Routes; routes != 2 {
		t.Errorf("a has %d routes, want 2: the connection was to be there still", routes)
	}
}

// Without a word, or asleep, nobody is taken for silent who was not heard before, or not given the time.
func TestOnlyWhoWasHeardIsSilent(t *testing.T) {
	t.Parallel()
	b := &beats{heard: make(map[string]time.Time)}
	began := time.Now()
	later := began.Add(time.Hour)
	b.watch("a")
	b.watch("b")
	b.hears("b")
	b.hears("stranger")
	if got, _ := b.silent(later, true); len(got) != 0 {
		t.Errorf("after a sleep %v are silent", got)
	}
	if got, until := b.silent(later.Add(silentTime/2), false); len(got) != 0 || !until.Equal(later.Add(silentTime)) {
		t.Errorf("%v are silent, until %v, want nobody before %v", got, until, later.Add(silentTime))
	}
	if got, _ := b.silent(later.Add(silentTime), false); !slices.Equal(got, []string{"b"}) {
		t.Errorf("%v are silent, want b", got)
	}
	b.forget("b")
	if got, _ := b.silent(later.Add(silentTime), false); len(got) != 0 {
		t.Errorf("%v are silent, and nobody watches them", got)
	}
}

// What goes to all is a beat; what goes to one node is none.
func TestWhoSpeaksToAllNeedNoBeat(t *testing.T) {
	t.Parallel()
	a := open(t, Config{Node: "a", Listen: "127.0.0.1:0"})
	a.node.close() // the test beats
	b := a.node.beats
	now := time.Now()
	next := b.beat(now.Add(time.Minute))
	if want := now.Add(time.Minute + beatTime); !next.Equal(want) {
		t.Errorf("after a beat the next is due at %v, want %v", next, want)
	}
	b.sends(subjectOne + "b")
	if again := b.beat(now); !again.Equal(next) {
		t.Errorf("what goes to one node moves the next beat to %v", again)
	}
	b.sends("sw.all")
	if again := b.beat(now); again.After(time.Now().Add(beatTime)) || again.Before(now.Add(beatTime)) {
		t.Errorf("after a word to all the next is due at %v", again)
	}
}

func heard(b *beats, node string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return !b.heard[node].IsZero()
}
