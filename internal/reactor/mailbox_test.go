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
