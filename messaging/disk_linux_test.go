package messaging_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/client"
	"github.com/stormwheel/stormwheel/messaging/envelope"
)

// The disk of a node fills while users talk: who is online is served, what cannot be stored is refused as
// to be tried again, and what was acknowledged is there after a kill -9 amid the messages of 200, when there is room again.
func TestFullDiskOfANode(t *testing.T) {
	dir := smallDisk(t, 2<<20)
	filler := filepath.Join(dir, "filler")
	if err := os.WriteFile(filler, make([]byte, 1<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "store")
	node, addr := startNode(t, freePort(t), file)
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	l := newLedger()
	alice, bob := l.person(t, ctx, &wg, "alice", addr), l.person(t, ctx, &wg, "bob", addr)
	for _, p := range []*person{alice, bob} {
		eventually(t, "session", time.Minute, func() bool { return p.Info().State == client.Ready })
	}
	const away = 20
	pad := strings.Repeat("x", 1000)
	sent := 0
	send := func(n int) (last string) {
		for range n {
			last = fmt.Sprintf("%d %s", sent, pad)
			alice.tell(ctx, fmt.Sprintf("away%d", sent%away), last)
			sent++
		}
		return last
	}
	tell := func(n int) {
		t.Helper()
		send(n)
		eventually(t, "all is settled", time.Minute, func() bool { all, acked, _ := l.counts(); return all == acked })
	}
	for l.told(255) < 50 {
		if tell(100); sent > 5000 {
			t.Fatal("the disk does not fill")
		}
	}
	if l.told(envelope.AckDurable) == 0 || l.told(255) == sent {
		t.Fatalf("nothing was stored: %d refused of %d", l.told(255), sent)
	}
	bob.tell(ctx, "alice", "online") // both are
	eventually(t, "message between who is online", time.Minute, func() bool { return l.of("online") == envelope.AckDelivered })
	const many, each = 200, 5
	crowd := make([]*person, many)
	for i := range crowd {
		crowd[i] = l.person(t, ctx, &wg, fmt.Sprintf("user%d", i), addr)
	}
	for _, p := range crowd {
		eventually(t, "sessions", time.Minute, func() bool { return p.Info().State == client.Ready })
	}
	var senders sync.WaitGroup
	for i, p := range crowd {
		senders.Go(func() {
			for k := range each {
				p.tell(ctx, fmt.Sprintf("user%d", (i+k+1)%many), fmt.Sprintf("user%d's %d", i, k)) // is online
				p.tell(ctx, fmt.Sprintf("away%d", k), fmt.Sprintf("user%d's %d to one who is away", i, k))
			}
		})
	}
	eventually(t, "traffic", time.Minute, func() bool { _, acked, _ := l.counts(); return acked >= sent+many })
	node.Kill()
	all, acked, _ := l.counts()
	t.Logf("killed with %d messages in flight", all-acked)
	node.Reap()
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	startNode(t, addr, file)
	senders.Wait()
	last := send(1)
	eventually(t, "room again", time.Minute, func() bool { return l.of(last) == envelope.AckDurable })
	tell(100)
	for i := range away {
		l.person(t, ctx, &wg, fmt.Sprintf("away%d", i), addr)
	}
	eventually(t, "all that was acknowledged", time.Minute, func() bool { return len(l.lost()) == 0 })
	t.Logf("%d of %d messages were refused", l.told(255), sent+2*many*each)
}

// told counts the messages whose outcome is a word; 255: refused.
func (l *ledger) told(word uint8) (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, w := range l.acked {
		if w == word {
			n++
		}
	}
	return n
}

func (l *ledger) of(text string) uint8 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.acked[text]
}
