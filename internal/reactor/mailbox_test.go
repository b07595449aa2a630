package reactor

import (
	"testing"

	"github.com/stormwheel/stormwheel/codec"
)

// A full mailbox takes a close, and the close waits its turn behind what is in it.
func TestACloseIsNeverRefusedAndDoesNotOvertake(t *testing.T) {
	n := newNode(t, rigConfig{MaxQueued: 16 << 20, MaxFrame: codec.MaxPayload})
	slot, p := n.join()
	m := &n.r.mailbox
	h := n.r.Handle(slot)
	acks := 0
	for m.put(post{kind: postAck, handle: h, ack: codec.AckOf(1)}) == nil {
		acks++
	}
	if acks != mailboxPosts {
		t.Fatalf("%d posts fit, want %d", acks, mailboxPosts)
	}
	if err := m.put(post{kind: postClose, handle: h, code: codec.CodeKicked}); err != nil {
		t.Fatalf("a close is refused: %v", err)
	}
	for n.r.runPosts(never) {
	}
	types := frameTypes(t, p.in)
	if len(types) != acks+1 || types[acks] != codec.GoAway {
		t.Fatalf("%d frames, the last %v; want %d ACKs, then GOAWAY", len(types), types[len(types)-1], acks)
	}
	if err := m.put(post{kind: postAck, handle: h, ack: codec.AckOf(1)}); err != nil {
		t.Fatalf("the mailbox is empty and full: %v", err)
	}
}

func TestAStaleHandleNeverReachesTheSlotsNextSession(t *testing.T) {
	n := newNode(t, rigConfig{})
	slot, _ := n.join()
	old := n.r.Handle(slot)
	n.r.Closed(slot, ReasonPeerClosed)
	for range 3 { // free slots are reused first in, first out
		again, p := n.join()
		if err := n.r.mailbox.Ack(old, codec.AckOf(1)); err != nil {
			t.Fatal(err)
		}
		n.r.mailbox.Close(old, codec.CodeKicked, nil)
		n.r.runPosts(never)
		if len(p.in) != 0 || n.r.Handle(again) == old {
			t.Fatalf("slot %d: a stale handle reached the next session", again)
		}
		n.r.Closed(again, ReasonPeerClosed)
	}
	if n.r.counters.Stale != 6 {
		t.Errorf("stale = %d, want 6", n.r.counters.Stale)
	}
}

// Closes always fit, so there may be very many; their memory is given back.
func TestAMailboxOfManyClosesBecomesSmallAgain(t *testing.T) {
	n := newNode(t, rigConfig{})
	m := &n.r.mailbox
	for range 4 * mailboxPosts {
		m.Close(1, codec.CodeKicked, nil)
	}
	for range 3 {
		n.turn(never)
		m.Close(1, codec.CodeKicked, nil)
	}
	if most := max(cap(m.posts), cap(m.doing)); most > 2*mailboxPosts {
		t.Errorf("it keeps room for %d posts", most)
	}
}

// Very many posts for a session that has ended are bounded, and cost the loop's other sessions nothing.
func TestPostsForADeadSessionAreBoundedAndHarmNobody(t *testing.T) {
	n := newNode(t, rigConfig{})
	slot, _ := n.join()
	dead := n.r.Handle(slot)
	n.r.Closed(slot, ReasonPeerClosed)
	other, p := n.join()
	taken, refused := 0, 0
	for range 100_000 {
		switch err := n.r.mailbox.Deliver(dead, []byte("x")); err {
		case nil:
			taken++
		case ErrBusy:
			refused++
		default:
			t.Fatal(err)
		}
	}
	for n.r.runPosts(never) {
	}
	if taken != mailboxPosts || refused != 100_000-mailboxPosts || n.r.counters.Stale != mailboxPosts {
		t.Errorf("%d taken, %d refused, %d stale; want %d, the rest, and as many as were taken", taken, refused, n.r.counters.Stale, mailboxPosts)
	}
	if err := n.r.mailbox.Deliver(n.r.Handle(other), []byte("y")); err != nil {
		t.Fatal(err)
	}
	n.r.runPosts(never)
	if types := frameTypes(t, p.in); len(types) != 1 || types[0] != codec.Deliver {
		t.Errorf("another session of the loop was sent %v", types)
	}
}
