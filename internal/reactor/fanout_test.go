package reactor

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stormwheel/stormwheel/codec"
)

// bodies are those of the DELIVERs that a peer was sent.
func bodies(t testing.TB, p *peer) (all []string) {
	t.Helper()
	for _, f := range frames(t, p.in) {
		if f.Type != codec.Deliver {
			continue
		}
		number, body, err := codec.ParseMessage(f.Payload)
		if err != nil || number != 0 {
			t.Fatalf("DELIVER %d, %v", number, err)
		}
		all = append(all, string(body))
	}
	return all
}

// publish publishes to a group as a post does.
func (n *node) publish(group, body string) {
	n.r.Publish(group, codec.AppendDeliver(nil, 0, []byte(body)))
}

// bringAll has everything brought, a step a turn.
func (n *node) bringAll() {
	for i := 0; n.r.bring(func() bool { return true }); i++ {
		if i > 1_000_000 {
			n.t.Fatal("what goes to many never arrives")
		}
	}
}

// What is published while a walk is under way leaves in one Write a member.
func TestMessagesThatWaitLeaveInOneWrite(t *testing.T) {
	n := newNode(t, rigConfig{})
	var peers []*peer
	for range 100 {
		slot, p := n.join()
		if err := n.r.JoinGroup(slot, "g"); err != nil {
			t.Fatal(err)
		}
		peers = append(peers, p)
	}
	n.publish("g", "first")
	n.r.bring(func() bool { return true })
	for i := range 20 {
		n.publish("g", fmt.Sprint(i))
	}
	n.bringAll()
	for i, p := range peers {
		if got := bodies(t, p); len(got) != 21 || p.writes != 2 {
			t.Fatalf("member %d: %d messages in %d writes, want 21 in 2", i, len(got), p.writes)
		}
	}
}

// However much waits, no member that reads is a slow consumer by it.
func TestAFloodOfPublicationsComesInPieces(t *testing.T) {
	n := newNode(t, rigConfig{})
	slot, p := n.join()
	if err := n.r.JoinGroup(slot, "g"); err != nil {
		t.Fatal(err)
	}
	body := strings.Repeat("x", 10_000)
	for range 300 {
		n.publish("g", body)
	}
	n.bringAll()
	if got := bodies(t, p); len(got) != 300 || p.writes < 300*10_000/(64<<10) {
		t.Errorf("%d messages in %d writes, want 300 in pieces of at most 64 KiB", len(got), p.writes)
	}
}

// A member that does not read misses what does not fit, holds up nobody, and is told how much when
// it has read.
func TestASlowMemberMissesAndIsTold(t *testing.T) {
	var told []string
	n := newNode(t, rigConfig{Handler: handler{Missed: func(s *caller, group string, messages int) {
		told = append(told, fmt.Sprintf("%s %d", group, messages))
		_ = s.Deliver([]byte("you have missed some"))
	}}})
	slow, slowPeer := n.join()
	fast, fastPeer := n.join()
	for _, slot := range []Slot{slow, fast} {
		if err := n.r.JoinGroup(slot, "g"); err != nil {
			t.Fatal(err)
		}
	}
	slowPeer.blocked = true
	body := strings.Repeat("x", 10_000)
	for range 50 {
		n.publish("g", body)
		n.bringAll()
	}
	if got := len(bodies(t, fastPeer)); got != 50 {
		t.Errorf("the one that reads got %d, want 50", got)
	}
	got := len(bodies(t, slowPeer))
	if got != 6 || n.r.counters.Dropped != 44 {
		t.Errorf("the slow one got %d, and %d were dropped; want 6 and 44", got, n.r.counters.Dropped)
	}
	n.run(n.r.cfg.Tick * 4)
	if len(told) != 0 {
		t.Errorf("told %v while it does not read", told)
	}
	slowPeer.blocked, slowPeer.queued = false, 0
	n.run(n.r.cfg.Tick * 4)
	if want := []string{"g 44"}; !slices.Equal(told, want) {
		t.Errorf("told %v, want %v", told, want)
	}
	if all := bodies(t, slowPeer); all[len(all)-1] != "you have missed some" {
		t.Errorf("the last message is %q", all[len(all)-1])
	}
	n.publish("g", "on")
	n.bringAll()
	if all := bodies(t, slowPeer); all[len(all)-1] != "on" {
		t.Error("it gets nothing any more")
	}
}

// A group of all and a thousand of one each get on side by side.
func TestALargeGroupHoldsUpNoSmallOne(t *testing.T) {
	n := newNode(t, rigConfig{AdmitRate: 1e6})
	var peers []*peer
	for i := range 2_000 {
		slot, p := n.join()
		if err := n.r.JoinGroup(slot, "all"); err != nil {
			t.Fatal(err)
		}
		if err := n.r.JoinGroup(slot, fmt.Sprint("own ", i%1_000)); err != nil {
			t.Fatal(err)
		}
		peers = append(peers, p)
	}
	n.publish("all", "all")
	n.publish("own 999", "own")
	for range fanSlice/fanStep + 1 {
		n.r.bring(func() bool { return true })
	}
	if got := bodies(t, peers[999]); !slices.Contains(got, "own") {
		t.Errorf("after a slice of the large group the small one has got %v", got)
	}
	n.bringAll()
	if got := bodies(t, peers[999]); len(got) != 2 {
		t.Errorf("%v, want both", got)
	}
}

// A thousand groups of one are no longer turn than one of a thousand.
func TestATurnEndsAmongManySmallGroups(t *testing.T) {
	n := newNode(t, rigConfig{AdmitRate: 1e6})
	for i := range 1_000 {
		slot, _ := n.join()
		if err := n.r.JoinGroup(slot, fmt.Sprint(i)); err != nil {
			t.Fatal(err)
		}
		n.publish(fmt.Sprint(i), "hello")
	}
	for turn, before := 0, uint64(0); n.r.bringing(); turn++ {
		n.r.bring(func() bool { return true })
		if did := n.r.counters.Delivers - before; did > fanStep {
			t.Fatalf("turn %d: %d messages after its time was over, want %d at most", turn, did, fanStep)
		}
		before = n.r.counters.Delivers
	}
	if n.r.counters.Delivers != 1_000 {
		t.Errorf("%d messages, want 1000", n.r.counters.Delivers)
	}
}

// Neither are a thousand whose members have left before their publication came.
func TestATurnEndsAmongManyGroupsOfNobody(t *testing.T) {
	const many = 1_000
	n := newNode(t, rigConfig{})
	slot, _ := n.join()
	for i := range many {
		if err := n.r.JoinGroup(slot, fmt.Sprint(i)); err != nil {
			t.Fatal(err)
		}
		n.publish(fmt.Sprint(i), "hello")
	}
	for i := range many {
		n.r.LeaveGroup(slot, fmt.Sprint(i))
	}
	for turn := 0; n.r.bringing(); turn++ {
		before := len(n.r.groups.walks)
		n.r.bring(func() bool { return true })
		if did := before - len(n.r.groups.walks); did > fanStep {
			t.Fatalf("turn %d: %d walks after its time was over, want %d at most", turn, did, fanStep)
		}
	}
	if n.r.counters.Delivers != 0 || len(n.r.groups.free) != many {
		t.Errorf("%d messages, %d groups are gone", n.r.counters.Delivers, len(n.r.groups.free))
	}
}

// Publications that a loop has no room for stay in its mailbox.
func TestPublicationsAreTakenNoFasterThanTheyLeave(t *testing.T) {
	n := newNode(t, rigConfig{})
	slot, p := n.join()
	if err := n.r.JoinGroup(slot, "g"); err != nil {
		t.Fatal(err)
	}
	frame := codec.AppendDeliver(nil, 0, make([]byte, 60_000))
	const messages = 200
	for range messages {
		if err := n.r.mailbox.OnLoop(func(r *Reactor) { r.Publish("g", frame) }); err != nil {
			t.Fatal(err)
		}
	}
	most := 0
	for turns, more := 0, true; more; turns++ {
		more = n.r.runPosts(never)
		most = max(most, n.r.fanning) // before anything leaves
		if more = n.r.bring(never) || more; turns > 100 {
			t.Fatal("it never ends")
		}
	}
	if got := len(bodies(t, p)); got != messages || most > maxFanning+len(frame) {
		t.Errorf("%d messages, and %d bytes under way at a time; want %d and %d at most", got, most, messages, maxFanning)
	}
}

// Pages of members, while they come and go.
func TestMembersInPages(t *testing.T) {
	n := newNode(t, rigConfig{})
	want := make(map[uint64]bool)
	for range 100 {
		slot, _ := n.join()
		if err := n.r.JoinGroup(slot, "g"); err != nil {
			t.Fatal(err)
		}
		want[n.r.Handle(slot)] = true
	}
	from, more := Slot(0), true
	for pages := 0; more; pages++ {
		var page []uint64
		page, from, more = n.r.Members(nil, "g", from, 30)
		if len(page) == 0 || len(page) > 30 || pages > 4 {
			t.Fatalf("page %d has %d members", pages, len(page))
		}
		for _, handle := range page {
			if !want[handle] {
				t.Errorf("%x is no member, or was there before", handle)
			}
			delete(want, handle)
		}
	}
	if len(want) != 0 {
		t.Errorf("%d members are on no page", len(want))
	}
}

// Publishing, and a step of a walk, allocate nothing that a member pays for.
func TestAWalkAllocatesNothingAMember(t *testing.T) {
	n := newNode(t, rigConfig{AdmitRate: 1e6})
	for range 10_000 {
		slot, p := n.join()
		p.in = make([]byte, 0, 4096)
		if err := n.r.JoinGroup(slot, "g"); err != nil {
			t.Fatal(err)
		}
	}
	allocs := testing.AllocsPerRun(20, func() {
		n.publish("g", "hello")
		n.bringAll()
	})
	if allocs > 20 {
		t.Errorf("%.0f allocations a publication to 10,000 members", allocs)
	}
}

// Publications alone have short turns, so that heartbeats are in between; beside posts each has its
// time, and both have less of it while something is overdue.
func TestPostsAndPublicationsLeaveEachOtherTheirTime(t *testing.T) {
	n := newNode(t, rigConfig{AdmitRate: 1e6})
	var slots []Slot
	for range 100 {
		slot, _ := n.join()
		if err := n.r.JoinGroup(slot, "g"); err != nil {
			t.Fatal(err)
		}
		slots = append(slots, slot)
	}
	// parts are those that a turn asks for, in which none has time left.
	parts := func() (asked []Part) {
		n.r.Turn(n.now, 0, func(p Part) bool {
			asked = append(asked, p)
			return true
		})
		return asked
	}
	n.publish("g", "hello")
	if got := parts(); !slices.Equal(got[:1], []Part{Many}) {
		t.Errorf("a publication alone is asked as %v", got)
	}
	for _, slot := range slots {
		if err := n.r.mailbox.Deliver(n.r.Handle(slot), nil); err != nil {
			t.Fatal(err)
		}
	}
	before := n.r.counters.Delivers
	if got := parts(); !slices.Equal(got[:2], []Part{LessPosts, Posts}) {
		t.Errorf("posts and a publication are asked as %v", got)
	}
	if did := n.r.counters.Delivers - before; did != 1+fanStep {
		t.Errorf("%d messages, want a post's and a step of the publication's", did)
	}
	n.r.overdue = true
	if got := parts(); !slices.Equal(got[:2], []Part{Many, LessPosts}) {
		t.Errorf("while something is overdue they are asked as %v", got)
	}
}
