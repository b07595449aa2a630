package reactor

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/timingwheel"
)

// Two loops share the budget; the largest queues are on one, and the other one's growth
// must not be paid by its own small ones.
func TestBudgetClosesTheLargestOffendersFirst(t *testing.T) {
	const (
		kib   = 1 << 10
		total = 1 << 20
	)
	a := newNode(t, rigConfig{MaxQueued: 256 * kib, MaxQueuedTotal: total, WriteTimeout: time.Hour})
	b := newNode(t, rigConfig{MaxQueued: 256 * kib, MaxQueuedTotal: total, WriteTimeout: time.Hour})
	b.r.node = a.r.node
	a.r.node.Budget.Max = total
	slow := func(n *node, queued int) *peer {
		slot, p := n.join()
		p.blocked = true
		for p.queued < queued && !p.aborted {
			n.r.Deliver(slot, make([]byte, 8*kib))
			n.r.flush(slot)
		}
		return p
	}
	hogs := []*peer{slow(a, 200*kib), slow(a, 220*kib), slow(a, 240*kib)}
	var small []*peer
	for range 40 {
		small = append(small, slow(b, 8*kib))
		a.run(250 * time.Millisecond)
		b.run(250 * time.Millisecond)
		if used := a.r.node.Budget.Queued(); used > total {
			t.Fatalf("%d bytes queued, the budget is %d", used, total)
		}
	}
	if n := slices.IndexFunc(small, func(p *peer) bool { return p.aborted }); n >= 0 {
		t.Errorf("small queue %d was closed", n)
	}
	if !hogs[2].aborted || hogs[0].aborted {
		t.Errorf("hogs of 200, 220 and 240 KiB closed: %v %v %v, want the largest and not the smallest",
			hogs[0].aborted, hogs[1].aborted, hogs[2].aborted)
	}
	if a.r.counters.Closes[ReasonQueueBudget] == 0 || b.r.counters.Closes[ReasonQueueBudget] != 0 {
		t.Errorf("closed for the budget: %d and %d", a.r.counters.Closes[ReasonQueueBudget], b.r.counters.Closes[ReasonQueueBudget])
	}
}

func TestQueuedBytesAreGivenBackWhateverEndsThem(t *testing.T) {
	n := newNode(t, rigConfig{})
	queue := func() (timingwheel.ID, *peer) {
		slot, p := n.join()
		p.blocked = true
		n.r.Deliver(slot, make([]byte, 10<<10))
		n.r.flush(slot)
		n.r.Deliver(slot, make([]byte, 10<<10))
		n.r.flush(slot)
		return slot, p
	}
	gone, _ := queue()
	kicked, away := queue()
	_, taker := queue()
	stalls, staller := queue()
	_, slow := queue()
	if got := n.r.QueuedBytes(stalls); got != staller.queued {
		t.Errorf("%d bytes of it are queued, want %d", got, staller.queued)
	}
	want := int64(staller.queued * 5)
	if n.r.counters.Queued != want || n.r.node.Budget.Queued() != want {
		t.Fatalf("%d bytes queued, want %d", n.r.counters.Queued, want)
	}
	n.r.Closed(gone, ReasonPeerReset)
	n.r.sendAway(kicked, ReasonKicked, linger)
	away.queued = 0
	taker.blocked, taker.queued = false, 0
	slow.queued /= 2
	n.run(time.Second)
	if got, left := n.r.counters.Queued, staller.queued+slow.queued; got != int64(left) {
		t.Fatalf("%d bytes queued, only %d are left", got, left)
	}
	slow.blocked, slow.queued = false, 0
	n.run(20 * time.Second)
	n.wantClosed(ReasonWriteStall, 1)
	if n.r.counters.Queued != 0 || n.r.node.Budget.Queued() != 0 {
		t.Fatalf("%d and %d bytes queued after all", n.r.counters.Queued, n.r.node.Budget.Queued())
	}
}

func TestOptionalMessagesAreDroppedForSlowClientsOnly(t *testing.T) {
	n := newNode(t, rigConfig{SoftQueued: 8 << 10})
	slot, p := n.join()
	p.blocked = true
	body := make([]byte, 1<<10)
	for range 20 {
		err := n.r.DeliverOptional(slot, body)
		if p.queued+len(body) > 8<<10 != errors.Is(err, ErrSlow) {
			t.Fatalf("%d bytes queued: %v", p.queued, err)
		}
		n.r.flush(slot)
	}
	if p.queued > 8<<10 || n.r.counters.Dropped < 10 || p.aborted {
		t.Fatalf("%d bytes queued, %d dropped, aborted %v", p.queued, n.r.counters.Dropped, p.aborted)
	}
	if err := n.r.Deliver(slot, body); err != nil {
		t.Fatalf("an ordinary message: %v", err)
	}
	n.r.flush(slot)
	p.blocked, p.queued = false, 0
	n.run(time.Second)
	if err := n.r.DeliverOptional(slot, body); err != nil {
		t.Fatalf("the client reads again: %v", err)
	}
	n.r.flush(slot)
	dropped := n.r.counters.Dropped
	p.blocked = true
	for range 20 {
		if err := n.r.mailbox.DeliverOptional(n.r.Handle(slot), body); err != nil {
			t.Fatal(err)
		}
		n.r.runPosts(never)
	}
	if n.r.counters.Dropped == dropped {
		t.Error("posts of optional messages are not dropped")
	}
}

// A message that is larger than SoftQueued goes to a client that keeps up, one at a time.
func TestAnOptionalMessageAboveSoftQueuedGoesWhenNoneWaits(t *testing.T) {
	n := newNode(t, rigConfig{SoftQueued: 1 << 10})
	slot, p := n.join()
	body := make([]byte, 8<<10)
	for round := range 3 {
		if err := n.r.Ack(slot, codec.AckOf(1)); err != nil {
			t.Fatal(err)
		}
		if err := n.r.DeliverOptional(slot, body); err != nil {
			t.Fatalf("round %d, with an ACK but no message on its way: %v", round, err)
		}
		if err := n.r.DeliverOptional(slot, body[:1]); !errors.Is(err, ErrSlow) {
			t.Fatalf("round %d, behind a message of %d bytes: %v", round, len(body), err)
		}
		n.r.flush(slot)
	}
	p.blocked = true
	if err := n.r.DeliverOptional(slot, body); err != nil {
		t.Fatalf("nothing waits yet: %v", err)
	}
	n.r.flush(slot)
	if err := n.r.DeliverOptional(slot, body); !errors.Is(err, ErrSlow) {
		t.Fatalf("the client reads nothing: %v", err)
	}
}

// Whatever ends a connection, what its frame took is given back; every read is counted, and no
// byte twice.
func TestWhatIsHeldIsGivenBack(t *testing.T) {
	n := newNode(t, rigConfig{})
	hold := func(size int) *Session {
		slot, p := n.join()
		p.held = size
		n.r.mayHold(slot, size)
		return n.r.sessions.at(slot)
	}
	done, gone, kicked := hold(100), hold(5000), hold(60<<10)
	n.r.mayHold(gone.place.slot(), 6000)
	// A buffer of the transport has 1 KiB at least, and a quarter more than is in it.
	want := int64(1024 + 7500 + 76800)
	check := func(want int64) {
		t.Helper()
		if n.r.counters.Partial != want || n.r.node.Budget.Queued() != want {
			t.Fatalf("%d and %d bytes are held, want %d", n.r.counters.Partial, n.r.node.Budget.Queued(), want)
		}
	}
	check(want)
	n.r.mayHold(done.place.slot(), 0)
	if done.extra != 0 {
		t.Error("the extra is kept")
	}
	n.r.Closed(gone.place.slot(), ReasonPeerReset)
	n.r.kick = codec.CodeKicked
	n.r.sendAway(kicked.place.slot(), ReasonKicked, linger)
	check(76800)
	n.run(5 * time.Second)
	check(0)
}

func TestSlowReaderIsCutAtTheBound(t *testing.T) {
	n := newNode(t, rigConfig{MaxQueued: 80 << 10})
	slot, p := n.join()
	p.blocked = true
	for range 100 {
		n.r.Deliver(slot, make([]byte, 4<<10))
		n.r.flush(slot)
	}
	if p.queued > 81<<10 {
		t.Fatalf("%d bytes queued, want it cut at 81920", p.queued)
	}
	n.wantClosed(ReasonSlowConsumer, 1)
	if code := goAwayCode(t, p); code != codec.CodeSlowConsumer {
		t.Fatalf("GOAWAY %v, want slow consumer behind what is queued", code)
	}
	n.run(9 * time.Second)
	if p.aborted {
		t.Fatal("cut before it had the time to read")
	}
	n.run(2 * time.Second)
	if !p.aborted || n.r.counters.Queued != 0 {
		t.Fatalf("aborted %v, %d bytes queued, though it read nothing for 10s", p.aborted, n.r.counters.Queued)
	}
}

func TestPeerThatPingsButNeverReadsIsCut(t *testing.T) {
	n := newNode(t, rigConfig{})
	slot, p := n.join()
	p.blocked = true
	for i := range 12 {
		n.run(time.Second)
		if p.aborted {
			break
		}
		n.send(slot, codec.AppendPing(nil, uint64(i+1), 0))
	}
	if !p.aborted {
		t.Fatal("a peer that takes no byte for 10s is kept because it pings")
	}
	n.wantClosed(ReasonWriteStall, 1)
}

func TestOnePongWaitsForABacklogAndIsTheLatest(t *testing.T) {
	n := newNode(t, rigConfig{})
	slot, p := n.join()
	p.blocked = true
	for i := range 5 {
		n.send(slot, codec.AppendPing(nil, uint64(i+1), 0))
	}
	if got := len(frames(t, p.in)); got != 1 {
		t.Fatalf("%d PONGs for a peer that does not read, want 1", got)
	}
	p.blocked, p.queued = false, 0
	n.run(time.Second)
	all := frames(t, p.in)
	m, _ := codec.ParsePong(all[len(all)-1].Payload)
	if len(all) != 2 || m.Token != 5 {
		t.Fatalf("%d PONGs, the last with token %d; want 2 and 5", len(all), m.Token)
	}
}
