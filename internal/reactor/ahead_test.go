package reactor

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/gate"
)

// broadcast broadcasts as a post does.
func (n *node) broadcast(body string) error {
	frame := codec.AppendDeliver(nil, 0, []byte(body))
	return n.r.mailbox.OnLoop(func(r *Reactor) {
		r.BeginRound(&Round{Ordered: true, Visit: func(Slot) ([]byte, bool) { return frame, true }})
	})
}

// postPublication publishes by the mailbox.
func (n *node) postPublication(group, body string) error {
	frame := codec.AppendDeliver(nil, 0, []byte(body))
	return n.r.mailbox.OnLoop(func(r *Reactor) { r.Publish(group, frame) })
}

// Who joins behind a publication joins behind it, whatever else was posted for him before.
func TestWhatIsPostedForASessionDoesNotOvertakeAPublication(t *testing.T) {
	n := newNode(t, rigConfig{})
	slot, p := n.join()
	m, h := &n.r.mailbox, n.r.Handle(slot)
	for _, err := range []error{
		m.Deliver(h, []byte("first")), n.postPublication("g", "before it joins"), m.Member(h, "g", true), n.postPublication("g", "a"),
		m.Deliver(h, []byte("last")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for n.turn(never) || n.r.Posting() {
	}
	if got, want := bodies(t, p), []string{"first", "a", "last"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// What one goroutine asks of a session, of its group and of all comes to the session in that order, in
// turns that are cut anywhere, to its end. What is published between two messages of its own may come in
// another order than what is broadcast there.
func TestWhatOneGoroutineAsksHappensInThatOrderForAMember(t *testing.T) {
	for seed := range uint64(150) {
		rng := rand.New(rand.NewPCG(seed, 9))
		n := newNode(t, rigConfig{AdmitRate: 1e6, SoftQueued: -1, MaxQueued: 1 << 20})
		type member struct {
			handle uint64
			p      *peer
			in     bool
			ended  bool
			want   []string
		}
		var all []*member
		for range 40 {
			slot, p := n.join()
			all = append(all, &member{handle: n.r.Handle(slot), p: p})
		}
		must := func(err error) {
			if err != nil {
				t.Fatal(err)
			}
		}
		for i := range 600 {
			m := all[rng.IntN(len(all))]
			switch k := rng.IntN(12); {
			case k < 3:
				body := fmt.Sprint("g ", i)
				must(n.postPublication("g", body))
				for _, m := range all {
					if m.in && !m.ended {
						m.want = append(m.want, body)
					}
				}
			case k < 4:
				body := fmt.Sprint("b ", i)
				must(n.broadcast(body))
				for _, m := range all {
					if !m.ended {
						m.want = append(m.want, body)
					}
				}
			case m.ended:
			case k < 6:
				must(n.r.mailbox.Member(m.handle, "g", true))
				m.in = true
			case k < 7:
				must(n.r.mailbox.Member(m.handle, "g", false))
				m.in = false
			case k < 8 && rng.IntN(4) == 0:
				n.r.mailbox.Close(m.handle, codec.CodeKicked, nil)
				m.ended = true
			case k < 10:
				body := fmt.Sprint("own ", i)
				must(n.r.mailbox.Deliver(m.handle, []byte(body)))
				m.want = append(m.want, body)
			default:
				for range rng.IntN(3) {
					steps := rng.IntN(4)
					n.turn(func() bool { steps--; return steps < 0 })
				}
			}
		}
		for n.turn(never) || n.r.Posting() {
		}
		for i, m := range all {
			if got, want := inSegments(bodies(t, m.p)), inSegments(m.want); !slices.Equal(got, want) {
				t.Fatalf("seed %d, member %d:\ngot  %v\nwant %v", seed, i, got, want)
			}
			if f := frames(t, m.p.in); m.ended && f[len(f)-1].Type != codec.GoAway {
				t.Fatalf("seed %d, member %d: the last that it got is %v, want GOAWAY", seed, i, f[len(f)-1].Type)
			}
		}
		if n.r.fanning != 0 || n.r.bringing() {
			t.Fatalf("seed %d: %d bytes are under way to nobody", seed, n.r.fanning)
		}
	}
}

// inSegments has what goes to many between two messages of a session's own with the broadcasts first.
func inSegments(all []string) []string {
	all = slices.Clone(all)
	for begin, i := 0, 0; i <= len(all); i++ {
		if i == len(all) || strings.HasPrefix(all[i], "own") {
			slices.SortStableFunc(all[begin:i], func(a, b string) int { return strings.Compare(a[:1], b[:1]) })
			begin = i + 1
		}
	}
	return all
}

// A member that does not read is not ended by what is published because something else is asked of it.
func TestAPostBringsASlowMemberNoMoreThanItsWalkWould(t *testing.T) {
	n := newNode(t, rigConfig{})
	slot, p := n.join()
	other, fast := n.join()
	for _, slot := range []Slot{slot, other} {
		if err := n.r.JoinGroup(slot, "g"); err != nil {
			t.Fatal(err)
		}
	}
	p.blocked = true
	for range 300 {
		n.publish("g", strings.Repeat("x", 10_000))
	}
	for _, slot := range []Slot{slot, other} {
		if err := n.r.mailbox.Deliver(n.r.Handle(slot), []byte("own")); err != nil {
			t.Fatal(err)
		}
	}
	n.r.runPosts(never)
	if got := bodies(t, p); n.r.sessions.at(slot).state != stateReady || !slices.Contains(got, "own") {
		t.Errorf("the slow one got %d messages", len(got))
	}
	if got := bodies(t, fast); len(got) != 301 || got[300] != "own" {
		t.Errorf("the fast one got %d messages", len(got))
	}
	n.bringAll()
	if got := len(bodies(t, p)) - 1; got+int(n.r.counters.Dropped) != 300 {
		t.Errorf("the slow one got %d, and %d were dropped", got, n.r.counters.Dropped)
	}
	if got := bodies(t, fast); len(got) != 301 {
		t.Errorf("the fast one got %d messages in the end", len(got))
	}
}

// A broadcast whose filter fails on a session that a post is for ends there.
func TestARoundEndsAheadOfItsPlace(t *testing.T) {
	n := newNode(t, rigConfig{})
	n.join()
	slot, _ := n.join()
	var visits []Slot
	done := false
	n.r.BeginRound(&Round{Ordered: true, Visit: func(slot Slot) ([]byte, bool) { visits = append(visits, slot); return nil, false }, Done: func() { done = true }})
	if err := n.r.mailbox.Deliver(n.r.Handle(slot), nil); err != nil {
		t.Fatal(err)
	}
	for n.turn(never) || n.r.Posting() {
	}
	if !slices.Equal(visits, []Slot{slot}) || !done {
		t.Errorf("visits of %v, done %v; want %d alone", visits, done, slot)
	}
}

// BenchmarkPostBesideAPublication is what a message costs its loop while something is published to its
// session's group all the time, and its part of the walk.
func BenchmarkPostBesideAPublication(b *testing.B) {
	const sessions = 10_000
	n := newNode(b, rigConfig{AdmitRate: 1e6})
	var handles []uint64
	for range sessions {
		slot, _ := n.join()
		if err := n.r.JoinGroup(slot, "g"); err != nil {
			b.Fatal(err)
		}
		handles = append(handles, n.r.Handle(slot))
	}
	n.r.transport = sink{n.net}
	body := make([]byte, 32)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if i%sessions == 0 {
			n.bringAll()
			n.publish("g", "hello")
		}
		if n.r.mailbox.Deliver(handles[i%sessions], body) != nil {
			b.Fatal("full")
		}
		if i%runLength == runLength-1 {
			n.r.runPosts(never)
		}
	}
}

// However many broadcasts are under way and however much is posted beside them, each comes to each session
// once, and a session has one entry of what it is ahead of.
func TestManyRoundsAheadOfTheirPlaces(t *testing.T) {
	n := newNode(t, rigConfig{AdmitRate: 1e6})
	const sessions, rounds = 20, 50
	visits := make(map[Slot]int)
	var handles []uint64
	for range sessions {
		slot, _ := n.join()
		handles = append(handles, n.r.Handle(slot))
	}
	for range rounds {
		n.r.BeginRound(&Round{Ordered: true, Visit: func(slot Slot) ([]byte, bool) { visits[slot]++; return nil, true }})
		n.r.BeginRound(&Round{Visit: func(slot Slot) ([]byte, bool) { visits[slot]++; return nil, true }})
		for _, h := range handles[sessions/2:] {
			if err := n.r.mailbox.Deliver(h, nil); err != nil {
				t.Fatal(err)
			}
		}
		n.r.runPosts(never)
	}
	if len(n.r.ahead) != sessions/2 {
		t.Errorf("%d entries for %d sessions", len(n.r.ahead), sessions/2)
	}
	n.bringAll()
	for _, h := range handles {
		if got := visits[SlotOf(h)]; got != 2*rounds {
			t.Errorf("session %d had %d visits, want %d", SlotOf(h), got, 2*rounds)
		}
	}
	if n.r.ahead != nil {
		t.Error("entries outlive their rounds")
	}
}

// What was published before something that was posted comes before it, too, where that comes ahead of a
// goodbye.
func TestAGoodbyeComesBehindWhatWasPublished(t *testing.T) {
	n := newNode(t, rigConfig{Duplicates: gate.Replace})
	old, p := n.come(1, 1, nil)
	if err := n.r.JoinGroup(old, "g"); err != nil {
		t.Fatal(err)
	}
	n.publish("g", "group")
	if err := errors.Join(n.broadcast("all"), n.r.mailbox.Deliver(n.r.Handle(old), []byte("first"))); err != nil {
		t.Fatal(err)
	}
	n.r.runPosts(func() bool { return true }) // the broadcast begins
	if err := n.r.mailbox.Deliver(n.r.Handle(old), []byte("own")); err != nil {
		t.Fatal(err)
	}
	n.come(2, 1, nil)
	n.runClosings()
	if got, want := bodies(t, p), []string{"group", "all", "first", "own"}; !slices.Equal(got, want) {
		t.Errorf("it got %q, want %q", got, want)
	}
	if f := frames(t, p.in); f[len(f)-1].Type != codec.GoAway {
		t.Errorf("the last is %v", f[len(f)-1].Type)
	}
}
