package reactor

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

func TestAllPostsOfASessionInARunLeaveInOneWrite(t *testing.T) {
	n := newNode(t, rigConfig{})
	a, alice := n.join()
	b, bob := n.join()
	m := &n.r.mailbox
	for i := range 10 {
		for _, slot := range []Slot{a, b} {
			if err := m.Deliver(n.r.Handle(slot), []byte{byte(i)}); err != nil {
				t.Fatal(err)
			}
		}
		if err := m.Ack(n.r.Handle(a), codec.AckOf(uint64(2*i+1))); err != nil {
			t.Fatal(err)
		}
	}
	m.Close(n.r.Handle(a), codec.CodeKicked, nil)
	_ = m.Deliver(n.r.Handle(a), []byte("too late"))
	if n.turn(never) {
		t.Error("more is left")
	}
	if alice.writes != 1 || bob.writes != 1 {
		t.Errorf("%d and %d writes, want one each", alice.writes, bob.writes)
	}
	want := slices.Repeat([]codec.Type{codec.Deliver, codec.Ack}, 10)
	if got := frameTypes(t, alice.in); !slices.Equal(got, append(want, codec.GoAway)) {
		t.Errorf("%v", got)
	}
	if got := frameTypes(t, bob.in); len(got) != 10 {
		t.Errorf("%v, want ten DELIVERs", got)
	}
	if n.r.counters.Stale != 1 {
		t.Errorf("%d stale, want the one behind the close", n.r.counters.Stale)
	}
}

// A turn may be over after any post: what is left goes on in its order, nothing twice.
func TestEverySessionGetsItsPostsInTheirOrder(t *testing.T) {
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 1))
		n := newNode(t, rigConfig{})
		var slots []Slot
		var handles []uint64
		var peers []*peer
		for range 1 + rng.IntN(40) {
			slot, p := n.join()
			slots, peers = append(slots, slot), append(peers, p)
			handles = append(handles, n.r.Handle(slot))
		}
		sent := make([][]byte, len(slots))
		over := make([]bool, len(slots)) // closed, or has left
		stop := func() bool { return rng.IntN(3) == 0 }
		for range 30 {
			for range rng.IntN(300) {
				i := rng.IntN(len(slots))
				if !over[i] {
					sent[i] = append(sent[i], byte(len(sent[i])))
				}
				_ = n.r.mailbox.Deliver(handles[i], []byte{byte(len(sent[i]) - 1)})
				if !over[i] && rng.IntN(500) == 0 {
					n.r.mailbox.Close(handles[i], codec.CodeKicked, nil)
					over[i] = true
				}
			}
			n.turn(stop)
			if i := rng.IntN(len(slots)); rng.IntN(20) == 0 && !over[i] {
				for n.turn(never) || n.r.Posting() {
				}
				n.r.Closed(slots[i], ReasonPeerClosed)
				over[i] = true
			}
		}
		for n.turn(stop) || n.r.Posting() {
		}
		for i, p := range peers {
			var got []byte
			for _, f := range frames(t, p.in) {
				if f.Type == codec.Deliver {
					got = append(got, f.Payload[8])
				}
			}
			if string(got) != string(sent[i]) {
				t.Fatalf("seed %d: session %d got %d messages %v, want %d %v", seed, i, len(got), got, len(sent[i]), sent[i])
			}
		}
	}
}

// A Write has no more than could wait for a client, and who is slow is asked message by message.
func TestTogetherIsNoMoreThanMayWait(t *testing.T) {
	for _, test := range []struct {
		cfg  rigConfig
		most int
	}{{rigConfig{}, runBytes}, {rigConfig{MaxFrame: 1000, MaxQueued: 8 << 10}, 8 << 10}, {rigConfig{SoftQueued: 100}, 1000}} {
		n := newNode(t, test.cfg)
		slot, p := n.join()
		largest := 0
		n.r.transport = measured{n.net, &largest}
		for range 200 {
			if err := n.r.mailbox.DeliverOptional(n.r.Handle(slot), make([]byte, 900)); err != nil {
				t.Fatal(err)
			}
		}
		n.turn(never)
		if got := len(frames(t, p.in)); got != 200 || n.r.counters.Dropped != 0 {
			t.Errorf("%+v: %d messages, %d dropped; want all, since their client reads", test.cfg, got, n.r.counters.Dropped)
		}
		if largest > test.most || test.most == runBytes && p.writes > 4 {
			t.Errorf("%+v: %d bytes in one of %d writes, want at most %d", test.cfg, largest, p.writes, test.most)
		}
	}
}

// measured is a network that notes the largest Write.
type measured struct {
	*network
	largest *int
}

func (m measured) Write(slot Slot, b []byte) (sent, queued int) {
	*m.largest = max(*m.largest, len(b))
	return m.network.Write(slot, b)
}

func TestASlowClientsQueueIsFilledToTheLastMessage(t *testing.T) {
	n := newNode(t, rigConfig{MaxQueued: 64 << 10, MaxFrame: 16 << 10})
	slot, p := n.join()
	p.blocked = true
	for i := range 20 {
		if err := n.r.mailbox.Deliver(n.r.Handle(slot), make([]byte, 10<<10)); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			n.turn(never) // from now on it is slow
		}
	}
	n.turn(never)
	types := frameTypes(t, p.in)
	if len(types) != 7 || types[6] != codec.GoAway { // six of 10 KiB are within 64
		t.Errorf("%v, want six DELIVERs and the goodbye", types)
	}
}

// A message costs an allocation at most, its sender and its loop together; a steady flow less, but for the
// race detector, which empties pools.
func TestAPostAllocatesOnceAtMost(t *testing.T) {
	n := newNode(t, rigConfig{})
	var handles []uint64
	for range 50 {
		slot, _ := n.join()
		handles = append(handles, n.r.Handle(slot))
	}
	n.r.transport = sink{n.net}
	body := make([]byte, 32)
	flow := func() {
		for i := range 1000 {
			if err := n.r.mailbox.Deliver(handles[i%len(handles)], body); err != nil {
				t.Fatal(err)
			}
		}
		n.r.runPosts(never)
	}
	flow()
	flow()
	if allocs := testing.AllocsPerRun(20, flow); allocs > 1000 {
		t.Errorf("%v allocations for 1000 posts", allocs)
	}
}

// What was taken out takes room until it is done.
func TestAPostUnderWayTakesItsRoom(t *testing.T) {
	n := newNode(t, rigConfig{})
	a, _ := n.join()
	b, _ := n.join()
	fill := func(slot Slot, body []byte) (fit int) {
		for n.r.mailbox.Deliver(n.r.Handle(slot), body) == nil {
			fit++
		}
		return fit
	}
	always := func() bool { return true }
	if got := fill(a, nil); got != mailboxPosts {
		t.Fatalf("%d posts fit, want %d", got, mailboxPosts)
	}
	n.turn(always)
	if got := fill(b, nil); got != runCheck {
		t.Errorf("%d posts fit after a turn that did %d", got, runCheck)
	}
	for n.turn(never) || n.r.Posting() {
	}
	body := make([]byte, 60<<10)
	most := fill(a, body)
	n.turn(always)
	if got := fill(b, body); got != 2 { // the clock is asked after the first Write, with the second in hand
		t.Errorf("%d large posts fit after a turn that did two", got)
	}
	for n.turn(never) || n.r.Posting() {
	}
	if got := fill(b, body); got != most {
		t.Errorf("%d fit into an empty box, and %d later", most, got)
	}
}

// While others are at the box a loop does what it has.
func TestALoopWaitsForNoPoster(t *testing.T) {
	n := newNode(t, rigConfig{})
	slot, p := n.join()
	if err := n.r.mailbox.Deliver(n.r.Handle(slot), nil); err != nil {
		t.Fatal(err)
	}
	n.r.mailbox.mu.Lock()
	n.turn(never) // waits for ever if it waits
	n.r.mailbox.mu.Unlock()
	if !n.r.Posting() {
		t.Error("nobody knows that a post is left")
	}
	if n.turn(never); len(p.in) == 0 || n.r.Posting() {
		t.Error("it was not done in the next turn")
	}
}

// Posts have most of a turn, unless something else is overdue.
func TestWhatIsOverdueTakesTimeFromPosts(t *testing.T) {
	n := newNode(t, rigConfig{})
	for range 10 {
		n.join()
	}
	slot, _ := n.join()
	parts := func() (asked []Part) {
		_ = n.r.mailbox.Deliver(n.r.Handle(slot), nil)
		n.r.Turn(n.now, 0, func(p Part) bool {
			if !slices.Contains(asked, p) {
				asked = append(asked, p)
			}
			return p == Rest
		})
		return asked
	}
	if got := parts(); got[0] != Posts {
		t.Errorf("in quiet times posts are asked as %v", got)
	}
	n.run(75 * time.Second)
	n.now += 3 * n.r.cfg.Tick // evictions, one a turn
	parts()
	if got := parts(); got[0] != LessPosts {
		t.Errorf("among evictions posts are asked as %v", got)
	}
}

// BenchmarkPost is what a message costs its loop and its sender beside the Write.
func BenchmarkPost(b *testing.B) {
	for _, sessions := range []int{10, 10_000} {
		b.Run(fmt.Sprint("sessions=", sessions), func(b *testing.B) {
			n := newNode(b, rigConfig{AdmitRate: 1e6})
			var handles []uint64
			for range sessions {
				slot, _ := n.join()
				handles = append(handles, n.r.Handle(slot))
			}
			n.r.transport = sink{n.net}
			body := make([]byte, 32)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if n.r.mailbox.Deliver(handles[i%sessions], body) != nil {
					b.Fatal("full")
				}
				if i%runLength == runLength-1 {
					n.r.runPosts(never)
				}
			}
		})
	}
}
