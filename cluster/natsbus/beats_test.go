//go:build !nonats

package natsbus

import (
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/stormwheel/stormwheel/cluster"
	"github.com/stormwheel/stormwheel/cluster/bustest"
	"github.com/stormwheel/stormwheel/internal/pulse"
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
	b := newBeats()
	b.watch("a")
	b.watch("b")
	route := &server.RouteInfo{Rid: 1, RemoteName: "b"}
	at := time.Hour
	routes := []*server.RouteInfo{route, {Rid: 2, RemoteName: "stranger"}}
	b.look(at, routes)
	if got, _ := b.silent(2*at, true); len(got) != 0 {
		t.Errorf("after a sleep %v are silent", got)
	}
	at *= 2
	if got, until := b.silent(at+silentTime/2, false); len(got) != 0 || until != at+silentTime {
		t.Errorf("%v are silent, until %v, want nobody before %v", got, until, at+silentTime)
	}
	route.InMsgs++
	b.look(at+silentTime/2, routes) // it is heard by what has come
	b.look(at+silentTime, routes)   // nothing has
	if got, _ := b.silent(at+silentTime, false); len(got) != 0 {
		t.Errorf("%v are silent, and were heard", got)
	}
	if got, _ := b.silent(at+silentTime*3/2, false); !slices.Equal(got, []string{"b"}) {
		t.Errorf("%v are silent, want b", got)
	}
	route.Rid++ // it has connected again
	b.look(at+silentTime*3/2, routes)
	if got, _ := b.silent(at+silentTime*3/2, false); len(got) != 0 || len(b.came) != 2 {
		t.Errorf("%v are silent, and %d connections are known", got, len(b.came))
	}
	b.forget("b")
	if got, _ := b.silent(at+10*silentTime, false); len(got) != 0 {
		t.Errorf("%v are silent, and nobody watches them", got)
	}
}

// What goes to all is a beat; what goes to one node is none.
func TestWhoSpeaksToAllNeedNoBeat(t *testing.T) {
	t.Parallel()
	a := open(t, Config{Node: "a", Listen: "127.0.0.1:0"})
	a.node.close() // the test beats
	b := a.node.beats
	beats := func(at time.Duration) bool {
		b.beat(at)
		return b.said == at
	}
	now := b.now()
	if !beats(now + time.Minute) {
		t.Error("nothing is said")
	}
	b.said = now
	b.sends(subjectOne + "b")
	if !beats(now + beatTime) {
		t.Error("what goes to one node is taken for a beat")
	}
	b.sends("sw.all")
	b.sends("sw.all")
	spoke := time.Duration(b.spoke.Load())
	if beats(spoke+pulse.Time) || !beats(spoke+beatTime) {
		t.Error("after a word to all the next is not due when it should be")
	}
}

// A beat ends in the server: the node is not woken for it.
func TestABeatIsNotHandedOn(t *testing.T) {
	t.Parallel()
	a := open(t, Config{Node: "a", Listen: "127.0.0.1:0"})
	b := open(t, Config{Node: "b", Listen: "127.0.0.1:0", Peers: []string{a.RouteAddr()}})
	bustest.Met(t, []cluster.Bus{a, b})
	came := func() (n int64) {
		for _, r := range a.node.routesNow() {
			n += r.InMsgs
		}
		return n
	}
	var handed atomic.Int64
	if _, err := a.conn.Subscribe(subjectBeats, func(*nats.Msg) { handed.Add(1) }); err != nil {
		t.Fatal(err)
	}
	before := came()
	until(t, "three beats have come", func() bool { return came() >= before+3 })
	if err := a.conn.Flush(); err != nil { // what was handed on is here
		t.Fatal(err)
	}
	if n := handed.Load(); n > 0 {
		t.Errorf("%d were handed on", n)
	}
}

func heard(b *beats, node string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.heard[node] != 0
}
