package reactor

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

// A message to everybody leaves nothing behind but a few bytes a session that had it.
func TestWhatABroadcastTookIsGivenBack(t *testing.T) {
	n := newNode(t, rigConfig{AdmitRate: 1e6})
	var slots []Slot
	for range 3 * keepEntries {
		slot, p := n.join()
		n.await(slot, 1, 2)
		p.in, slots = nil, append(slots, slot)
	}
	for _, slot := range slots {
		n.send(slot, ackRange(1, 2, 0))
	}
	kept := 0
	for _, o := range n.r.awaits.all {
		if o != nil {
			kept++
		}
	}
	if u := n.r.InUse(); u.Awaits != 0 || u.Extras != 0 || kept != keepEntries {
		t.Errorf("%d entries are kept, want %d; in use are still %+v", kept, keepEntries, u)
	}
	for i, slot := range slots {
		n.await(slot, 3, 1)
		if got := n.r.unanswered(n.r.sessions.at(slot)); got != 1 {
			t.Fatalf("session %d awaits %d, want 1", i, got)
		}
	}
}

// Nothing is allocated for a flow of messages that are answered, and nothing is kept of it.
func TestASteadyFlowOfAnsweredMessagesAllocatesNothing(t *testing.T) {
	n := newNode(t, rigConfig{MaxFrameRate: -1, MaxByteRate: -1})
	slot, p := n.join()
	ack, number := make([]byte, 0, 64), uint64(0)
	var w Waiter = func(Outcome) {}
	if allocs := testing.AllocsPerRun(1000, func() {
		p.in = p.in[:0]
		for range 10 {
			_ = n.r.DeliverAwaited(slot, nil, w)
		}
		n.r.flush(slot)
		ack = codec.AppendAck(ack[:0], codec.AckMessage{Range: codec.Range{First: number + 1, Last: number + 10}})
		number += 10
		n.r.receive(n.now, slot, ack)
	}); allocs > 0 {
		t.Errorf("%v allocations for ten DELIVERs and their ACK", allocs)
	}
	if u := n.r.InUse(); u.Awaits != 0 || u.Extras != 0 {
		t.Errorf("in use are still %+v", u)
	}
}

// A flood of the widest ranges, of those that were never sent, or of NACKs of nothing costs a node
// about what one of PINGs does, and never as much as a heartbeat with its PONG, for a session with a
// full window, too.
func TestAFloodOfAnswersCostsNoMoreThanPings(t *testing.T) {
	const each = 2000
	flood := func(frame []byte, full bool) (best time.Duration) {
		n := newNode(t, rigConfig{MaxFrameRate: -1, MaxByteRate: -1})
		slot, _ := n.join()
		if full {
			n.await(slot, 1, MaxAwaited)
			n.send(slot, ackRange(100, 100, 0)) // a gap
			n.await(slot, MaxAwaited+1, 1)
		}
		n.r.transport = sink{n.net}
		read := slices.Repeat(frame, each)
		best = time.Hour
		for range 30 {
			began := time.Now()
			n.r.receive(n.now, slot, read)
			best = min(best, time.Since(began))
		}
		if n.r.sessions.at(slot).state != stateReady {
			t.Fatal("the session has ended")
		}
		return best
	}
	n := newNode(t, rigConfig{MaxFrameRate: -1, MaxByteRate: -1})
	slot, _ := n.join()
	n.r.transport = sink{n.net}
	ping, heartbeats := codec.AppendPing(nil, 1, 0), time.Hour
	for range 30 {
		began := time.Now()
		for range each {
			n.r.receive(n.now, slot, ping)
		}
		heartbeats = min(heartbeats, time.Since(began))
	}
	pings := flood(ping, false)
	for name, frame := range map[string][]byte{
		"all numbers": ackRange(0, math.MaxUint64, 0), "never sent": ackRange(MaxAwaited+2, math.MaxUint64, 0),
		"number 0": ackRange(0, 0, 0), "settled": ackRange(100, 100, 0),
		"NACK of nothing": nackOf(t, MaxAwaited+2, 1, ""), "NACK of settled": nackOf(t, 100, 1, ""),
		"reply to nothing": replyTo(MaxAwaited+2, ""), "reply to settled": replyTo(100, ""),
	} {
		for _, full := range []bool{false, true} {
			cost := flood(frame, full)
			for again := 0; cost > heartbeats && again < 20; again++ { // the machine may have done something else
				cost = min(cost, flood(frame, full))
			}
			t.Logf("%s, full %v: %v a frame; a PING of a flood %v, a heartbeat %v", name, full, cost/each, pings/each, heartbeats/each)
			if cost > heartbeats {
				t.Errorf("%s, full %v: %v a frame, a heartbeat costs %v", name, full, cost/each, heartbeats/each)
			}
		}
	}
}
