package reactor

import (
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

// A hundred clients who come together are told how long all of them take, not the window of the
// empty house that they found.
func TestWelcomeTellsTheWindowOfThoseWhoCameTogether(t *testing.T) {
	const clients, rate = 100, 10
	n := newNode(t, rigConfig{FailoverRate: rate})
	for range clients {
		slot, _ := n.dial()
		n.r.node.Conns.Enter()
		n.r.joinPending(slot, admitted)
	}
	want := time.Duration(clients / float64(rate) * 1.05 * float64(time.Second))
	for slot, p := range n.net.peers {
		n.send(slot, hello("alice"))
		m, err := codec.ParseWelcome(frames(t, p.in)[0].Payload)
		if err != nil || m.Terms.Window != want {
			t.Fatalf("told a window of %v, %v; want %v", m.Terms.Window, err, want)
		}
	}
}
