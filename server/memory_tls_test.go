package server

import (
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/internal/siege"
)

// What an idle TLS session keeps alive beside what a plain one does, 300 bytes at most: its keys, and where they
// are. Nothing of its handshake is left, and no AEAD. A node's first sessions are not counted, with what it
// needs for any number of them.
func TestAnIdleTLSSessionCostsFewBytes(t *testing.T) {
	const first, clients = 150, 600
	alive := func(t *testing.T) int64 {
		c := startSiege(t, orders{Heartbeat: 30 * time.Second, Timeout: 75 * time.Second})
		rush := func(n int) int64 {
			r := siege.Rush(t.Context(), &c.Target, n, 16)
			if len(r.In) != n {
				t.Fatalf("%d of %d are in", len(r.In), n)
			}
			t.Cleanup(func() {
				for _, p := range r.In {
					p.Close()
				}
			})
			return c.settled().Heap
		}
		few := rush(first)
		return rush(clients) - few
	}
	plain := alive(t)
	var by int64
	t.Run("tls", func(t *testing.T) {
		over.Store(t, stages{Name: "tls", Client: anyTLS})
		defer over.Delete(t)
		by = alive(t)
	})
	if more := float64(by-plain) / clients; more > 300 {
		t.Errorf("a TLS session keeps %.1f bytes more than a plain one (%d and %d of %d)", more, by, plain, clients)
	} else {
		t.Logf("a TLS session keeps %.1f bytes more than a plain one's %.1f", more, float64(plain)/clients)
	}
}
