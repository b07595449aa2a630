package peer

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// What waits for a node at one moment may be more than a message of the bus has room for.
func TestMoreThanAMessageForAHome(t *testing.T) {
	w := newWorld(t, 11)
	h := w.homes(3)
	to := h[0].m.known[h[1].name]
	all := make(map[string][]*login)
	for i := 0; len(to.lane.open) <= MaxBody; i++ {
		id := strings.Repeat("x", 240) + fmt.Sprint(i)
		all[id] = []*login{h[0].open(id, 1, 0)}
	}
	w.run(5 * time.Second)
	w.checkHomes(all)
}

// Of whom the followers cannot be told now they are told once, however often he comes and goes until then.
func TestFollowerThatAcknowledgesNothing(t *testing.T) {
	w := newWorld(t, 12)
	for i := range 6 {
		w.start(Config{Node: fmt.Sprintf("n%02d", i), Replace: true, HomesAbove: 2, LaneBytes: 4000})
	}
	w.run(4 * time.Second)
	at := slices.IndexFunc(w.hosts, func(o *host) bool { return o.name == w.hosts[0].m.members.Home("x") })
	home, owner, follower := w.hosts[at], w.hosts[(at+1)%6], w.hosts[(at+2)%6]
	follower.follow("x")
	w.run(100 * time.Millisecond)
	w.lose = func(from *host, _ Subject, data []byte) bool { return from == follower && kind(data[1]) == kindTook }
	var last *login
	for i := range 100 {
		last = owner.open("x", uint64(i+1), 0)
		w.run(5 * time.Millisecond)
	}
	if !home.m.full(home.m.known[follower.name]) {
		t.Fatal("there is room for more")
	}
	if n := len(home.m.homing.pending); n != 1 {
		t.Errorf("%d times it waits to be told, and is one user", n)
	}
	w.lose = nil
	w.run(5 * time.Second)
	w.checkHomes(map[string][]*login{"x": {last}})
	if len(follower.views[owner.name]) != 1 {
		t.Errorf("who follows knows %v", follower.views)
	}
}
