package peer

import (
	"flag"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"
)

var homesSeeds = flag.Int("peer.homes", 30, "how many seeds TestHomesSwarm runs of 3 nodes, and in proportion of more")

// TestHomesSwarm is TestSwarm for nodes that tell their logins to homes only, once they are more than some: whatever
// fails, in the end each client has one session, its latest, who follows a user knows where he is, and homes know what is
// theirs and nothing else.
func TestHomesSwarm(t *testing.T) {
	seeds := *homesSeeds
	if testing.Short() || underRace { // there it takes ten times as long
		seeds = min(seeds, 12)
	}
	for _, nodes := range []int{3, 10, 30} {
		for i := range uint64(max(1, seeds*3/nodes)) {
			seed := *swarmFrom + i
			t.Run(fmt.Sprint(nodes, "/", seed), func(t *testing.T) {
				s := newSwarm(t, seed)
				s.names = s.names[:0]
				for i := range nodes {
					s.names = append(s.names, fmt.Sprintf("n%02d", i))
				}
				s.cfg.HomesAbove = max(2, nodes-1-s.rng.IntN(nodes/2))
				s.ids = 4 * nodes
				if s.rng.IntN(3) == 0 {
					s.cfg.LaneBytes = 4000
				}
				s.follows = true
				s.play()
			})
			if t.Failed() {
				return
			}
		}
	}
}

// checkHomes wants what holds of a cluster that is whole, and whose nodes tell their logins to homes.
func (w *world) checkHomes(all map[string][]*login) {
	w.t.Helper()
	w.checkOne(all)
	listed := make(map[string]int)
	sessions := 0
	for _, h := range w.hosts {
		if len(h.views)+1 != len(w.hosts) {
			w.t.Errorf("%s sees %d others of %d", h.name, len(h.views), len(w.hosts)-1)
		}
		if o := h.m.homing; !o.registers || !o.registered || !o.silent || !o.complete || len(o.pending) > 0 {
			w.t.Errorf("%s: registers %v, registered %v, silent %v, complete %v, %d pending", h.name, o.registers, o.registered, o.silent, o.complete, len(o.pending))
		}
		sessions += len(h.sessions)
		w.checkFollowed(h)
		w.checkDirectory(h, listed)
		w.checkBounds(h)
		for _, p := range h.m.nodes {
			if len(p.lane.frames) > 0 || p.lane.bytes != 0 {
				w.t.Errorf("%s waits for %s to take %d frames", h.name, p.name, len(p.lane.frames))
			}
		}
	}
	if n := len(listed); n != 2*sessions {
		w.t.Errorf("homes know %d sessions, want each of %d twice", n, sessions)
	}
}

// checkFollowed wants a node to know where those are whom it follows.
func (w *world) checkFollowed(h *host) {
	w.t.Helper()
	for user := range h.m.follows {
		var want, got []string
		for _, other := range w.hosts {
			if other == h {
				continue
			}
			for _, l := range other.byID[user] {
				want = append(want, fmt.Sprintf("%s %x", other.name, l.stamp))
			}
			for stamp, id := range h.views[other.name] {
				if id == user {
					got = append(got, fmt.Sprintf("%s %x", other.name, stamp))
				}
			}
		}
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			w.t.Errorf("%s follows %s, who is at %v, and was told of %v", h.name, user, want, got)
		}
	}
}

// checkDirectory wants a node to know, as a home, sessions that there are and that are its own to know.
func (w *world) checkDirectory(h *host, listed map[string]int) {
	w.t.Helper()
	d := &h.m.directory
	look := func(role string, e *entry) {
		var owner *host
		for _, other := range w.hosts {
			if other.name == e.owner.name && other.cfg.Epoch == e.owner.epoch {
				owner = other
			}
		}
		if owner == nil || !slices.ContainsFunc(owner.byID[e.id], func(l *login) bool { return l.stamp == e.claim.Stamp }) {
			w.t.Errorf("%s knows of %s at %s, who is not there", h.name, e.id, e.owner.name)
		}
		if home := h.m.members.Home(e.id); home != h.name { // a user has the name of his device here
			w.t.Errorf("%s knows of %s, whose home is %s", h.name, e.id, home)
		}
		listed[fmt.Sprintf("%s %s %x", role, e.owner.name, e.claim.Stamp)]++
	}
	for _, id := range slices.Sorted(maps.Keys(d.ids)) {
		for _, e := range d.ids[id] {
			look("id", e)
		}
	}
	for _, user := range slices.Sorted(maps.Keys(d.users)) {
		u := d.users[user]
		for _, e := range u.sessions {
			look("user", e)
		}
		for _, p := range u.followers {
			if !slices.ContainsFunc(w.hosts, func(o *host) bool { return o.name == p.name && o.m.follows[user] != nil }) {
				w.t.Errorf("%s believes that %s follows %s", h.name, p.name, user)
			}
		}
		if len(u.sessions)+len(u.followers) == 0 {
			w.t.Errorf("%s keeps %s for nothing", h.name, user)
		}
	}
}

// homes starts a cluster whose nodes tell their logins to homes.
func (w *world) homes(n int) []*host {
	for i := range n {
		w.start(Config{Node: fmt.Sprintf("n%02d", i), Replace: true, HomesAbove: 2})
	}
	w.run(4 * time.Second)
	for _, h := range w.hosts {
		if !h.m.homing.silent {
			w.t.Fatalf("%s tells its logins to all: %+v", h.name, h.m.homing)
		}
	}
	return w.hosts
}

// A login is told to its homes, the earlier one elsewhere ends, and who follows is told.
func TestLoginIsToldToItsHomes(t *testing.T) {
	w := newWorld(t, 1)
	h := w.homes(10)
	h[9].follow("x")
	w.run(50 * time.Millisecond)
	clear(w.sent)
	old := h[0].open("x", 1, 0)
	w.run(20 * time.Millisecond)
	if len(h[9].views["n00"]) != 1 {
		t.Error("who follows is not told of the login")
	}
	late := h[1].open("x", 2, 0)
	w.run(100 * time.Millisecond)
	if !old.closed || late.ended || w.sent[All] != 0 {
		t.Errorf("ended %v and %v, %d messages to all", old.ended, late.ended, w.sent[All])
	}
	if len(h[9].views["n00"]) != 0 || len(h[9].views["n01"]) != 1 {
		t.Errorf("who follows knows %v", h[9].views)
	}
	w.run(2 * time.Second)
	w.checkHomes(map[string][]*login{"x": {old, late}})
}

// Two nodes take the same client at the same moment, a thousand times: his home sees which is the later.
func TestTwoLoginsInOneMillisecondWithHomes(t *testing.T) {
	w := newWorld(t, 3)
	h := w.homes(10)
	for i := range 1000 {
		id := fmt.Sprint("c", i)
		x, y := w.rng.IntN(10), w.rng.IntN(9)
		if y >= x {
			y++
		}
		if i%2 == 0 { // the same number and time: the epoch tells
			h[x].m.number, h[y].m.number = 9, 9
			both := max(h[x].m.clock, h[y].m.clock) + 5
			h[x].m.clock, h[y].m.clock = both, both
		}
		all := map[string][]*login{id: {h[x].open(id, 1, 0), h[y].open(id, 2, 0)}}
		if i%2 == 0 && all[id][0].stamp != all[id][1].stamp {
			t.Fatal("the stamps differ")
		}
		w.run(100 * time.Millisecond)
		w.checkOne(all)
	}
}

// What the bus loses on the way to a home, or from it, is told again.
func TestLoginThatIsLostOnTheWayToItsHome(t *testing.T) {
	for _, lost := range []kind{kindRegister, kindTook} {
		w := newWorld(t, 4)
		h := w.homes(5)
		h[4].follow("x")
		w.run(100 * time.Millisecond)
		w.lose = func(_ *host, _ Subject, data []byte) bool { return kind(data[1]) == lost }
		old := h[0].open("x", 1, 0)
		w.run(20 * time.Millisecond)
		late := h[1].open("x", 2, 0)
		w.run(300 * time.Millisecond)
		w.lose = nil
		w.run(2 * time.Second)
		if !old.closed || late.ended {
			t.Errorf("%s is lost: the earlier has ended: %v, the later %v", kindNames[lost], old.closed, late.ended)
		}
		w.checkHomes(map[string][]*login{"x": {old, late}})
	}
}

// The home of a client dies while he has two sessions of which it has told nobody: the next home sees it.
func TestHomeDiesBeforeItHasTold(t *testing.T) {
	w := newWorld(t, 5)
	h := w.homes(6)
	home := func(key string) int {
		return slices.IndexFunc(w.hosts, func(o *host) bool { return o.name == h[0].m.members.Home(key) })
	}
	at := home("x")
	a, b, c := h[(at+1)%6], h[(at+2)%6], h[(at+3)%6]
	c.follow("x")
	w.run(100 * time.Millisecond)
	w.hosts[at].freeze(time.Hour)
	old := a.open("x", 1, 0)
	w.run(10 * time.Millisecond)
	late := b.open("x", 2, 0)
	w.run(100 * time.Millisecond)
	if old.ended || late.ended {
		t.Fatal("it was told by others")
	}
	w.hosts[at].kill()
	w.run(5 * time.Second)
	if !old.closed || late.ended || len(c.views[b.name]) != 1 || len(c.views[a.name]) != 0 {
		t.Errorf("ended %v and %v; who follows knows %v", old.closed, late.ended, c.views)
	}
	w.checkHomes(map[string][]*login{"x": {old, late}})
}

// A logout that only a home heard which then died is told by the next, as soon as that knows all.
func TestLogoutThatDiedWithItsHome(t *testing.T) {
	w := newWorld(t, 8)
	h := w.homes(6)
	at := slices.IndexFunc(w.hosts, func(o *host) bool { return o.name == h[0].m.members.Home("x") })
	owner, follower, home := h[(at+1)%6], h[(at+2)%6], h[at]
	follower.follow("x")
	gone := owner.open("x", 1, 0)
	for i := range 500 { // so that registering anew takes a while
		owner.open(fmt.Sprint("c", i), 1, 0)
	}
	w.run(200 * time.Millisecond)
	if len(follower.views[owner.name]) != 1 {
		t.Fatal("who follows is not told")
	}
	home.freeze(time.Hour)
	owner.close(gone)
	w.run(100 * time.Millisecond)
	home.kill()
	w.run(6 * time.Second)
	if len(follower.views[owner.name]) != 0 {
		t.Error("who has left is online for ever")
	}
}

// Nodes come and go around the number above which there are homes: nobody is lost, and the mode does not follow each of them.
func TestModesChange(t *testing.T) {
	w := newWorld(t, 6)
	cfg := Config{Replace: true, HomesAbove: 8}
	begin := func(i int) *host {
		cfg.Node = fmt.Sprintf("n%02d", i)
		return w.start(cfg)
	}
	for i := range 8 {
		begin(i)
	}
	w.run(3 * time.Second)
	silent := func() (n int) {
		for _, h := range w.hosts {
			if h.m.homing.silent {
				n++
			}
		}
		return n
	}
	for i, h := range w.hosts {
		h.open(fmt.Sprint("c", i), 1, 0)
	}
	one := w.hosts[0]
	for i := range 8 {
		one.follow(fmt.Sprint("c", i))
	}
	for _, step := range []struct{ nodes, silent int }{{8, 0}, {9, 9}, {7, 7}, {6, 0}, {8, 0}, {9, 9}} {
		for len(w.hosts) > step.nodes {
			w.hosts[len(w.hosts)-1].m.Leave(w.hosts[len(w.hosts)-1].time(), &w.hosts[len(w.hosts)-1].out)
			w.hosts[len(w.hosts)-1].obey()
			w.hosts[len(w.hosts)-1].kill()
		}
		for len(w.hosts) < step.nodes {
			begin(len(w.hosts))
		}
		w.run(8 * time.Second)
		if n := silent(); n != step.silent {
			t.Errorf("of %d nodes %d tell homes only, want %d", step.nodes, n, step.silent)
		}
		w.checkFollowed(one)
	}
	w.checkHomes(nil)
}

// 100,000 logins and logouts in a minute, in either way: nothing grows with them.
func TestManyChangesLeaveNothing(t *testing.T) {
	for _, above := range []int{-1, 2} {
		w := newWorld(t, 7)
		for i := range 5 {
			w.start(Config{Node: fmt.Sprintf("n%02d", i), Replace: true, HomesAbove: above})
		}
		w.run(4 * time.Second)
		w.hosts[0].follow("c7")
		all := make(map[string][]*login)
		changes := 50_000
		if underRace { // there it takes ten times as long
			changes = 12_000
		}
		for i := range changes { // each ends what it had
			id := fmt.Sprint("c", i%1000)
			h := w.hosts[w.rng.IntN(5)]
			all[id] = append(all[id][max(0, len(all[id])-2):], h.open(id, uint64(i+1), 0))
			w.run(1200 * time.Microsecond)
		}
		w.run(3 * time.Second)
		for _, h := range w.hosts {
			if s := h.m.Stats(); s.LogBytes > h.m.cfg.LogBytes+sealBytes+maxRecord || s.HomeOf > 1000 || s.Sessions > 1000 {
				t.Errorf("%s: %+v", h.name, s)
			}
		}
		if w.checkOne(all); above > 0 {
			w.checkHomes(all)
		} else {
			w.check(all)
		}
	}
}

// Homes die with a logout that they have told nobody, and so many nodes that the others tell their logins to all again:
// who follows is told that the session is none of those which its node lists.
func TestLogoutThatDiedWithAllHomes(t *testing.T) {
	w := newWorld(t, 8)
	for i := range 6 {
		w.start(Config{Node: fmt.Sprintf("n%02d", i), Replace: true, HomesAbove: 5})
	}
	w.run(4 * time.Second)
	h := slices.Clone(w.hosts)
	at := slices.IndexFunc(h, func(o *host) bool { return o.name == h[0].m.members.Home("x") })
	owner, follower, dead := h[(at+1)%6], h[(at+2)%6], []*host{h[at], h[(at+3)%6], h[(at+4)%6]}
	follower.follow("x")
	gone := owner.open("x", 1, 0)
	stays := owner.m.Open(owner.time(), Session{ID: "y", User: "x", Handle: 1}, &owner.out)
	owner.obey()
	w.run(500 * time.Millisecond)
	if len(follower.views[owner.name]) != 2 || !owner.m.homing.silent {
		t.Fatalf("who follows knows %v", follower.views)
	}
	for _, o := range dead {
		o.freeze(time.Hour)
	}
	owner.close(gone)
	w.run(100 * time.Millisecond)
	for _, o := range dead {
		o.kill()
	}
	w.run(10 * time.Second)
	if known := follower.views[owner.name]; len(known) != 1 || known[stays] != "y" || owner.m.homing.silent {
		t.Errorf("who follows knows %v", known)
	}
}
