package reactor

import (
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/timingwheel"
)

// Those who came together ask together, and have given up before most of them are answered:
// they learn before they ask that the node needs patience, each once, and not all at once.
func TestLongerTermsAreToldUnasked(t *testing.T) {
	const clients = 200
	n := newNode(t, rigConfig{Heartbeat: 20 * time.Second, Timeout: 60 * time.Second, Tick: 250 * time.Millisecond})
	var slots []timingwheel.ID
	var peers []*peer
	for range clients {
		slot, p := n.join()
		slots, peers = append(slots, slot), append(peers, p)
	}
	told := func() (sum int) {
		for _, p := range peers {
			for _, f := range frames(t, p.in) {
				if m, err := codec.ParsePong(f.Payload); f.Type != codec.Pong || err != nil || m.Token != 0 || m.Terms.Patience == 0 {
					t.Fatalf("%v: %+v, %v", f.Type, m, err)
				}
				sum++
			}
		}
		return sum
	}
	n.stretch(2)
	n.run(2500 * time.Millisecond)
	if got := told(); got < clients*4/10 || got > clients*6/10 {
		t.Errorf("%d of %d are told after half of the time", got, clients)
	}
	n.run(3 * time.Second)
	if got := told(); got != clients {
		t.Errorf("%d PONGs in a quarter of an interval for %d clients, want one each", got, clients)
	}
	for _, slot := range slots {
		if ttl := n.r.wheel.TTL(slot); ttl != n.r.terms.Timeout {
			t.Fatalf("judged by %v, want %v", ttl, n.r.terms.Timeout)
		}
	}
	n.stretch(1) // shorter ones come with the answers to their PINGs
	n.run(20 * time.Second)
	if got := told(); got != clients {
		t.Errorf("%d PONGs after the terms became shorter", got-clients)
	}
}
