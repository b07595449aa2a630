package server

import (
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/internal/siege"
)

// What an idle WebSocket keeps alive beside what a plain session does: 40 bytes at most.
func TestAnIdleWebSocketCostsFewBytes(t *testing.T) {
	const clients = 2000
	alive := func(t *testing.T) int64 {
		c := startSiege(t, orders{Heartbeat: 30 * time.Second, Timeout: 75 * time.Second})
		c.warm()
		empty := c.settled()
		r := siege.Rush(t.Context(), &c.Target, clients, 16)
		if len(r.In) != clients {
			t.Fatalf("%d of %d are in", len(r.In), clients)
		}
		defer func() {
			for _, p := range r.In {
				p.Close()
			}
		}()
		full := c.settled()
		return full.Heap - empty.Heap
	}
	plain := alive(t)
	var by int64
	t.Run("websocket", func(t *testing.T) {
		over.Store(t, stages{Name: "websocket", Client: wsClient})
		defer over.Delete(t)
		by = alive(t)
	})
	if more := float64(by-plain) / clients; more > 40 {
		t.Errorf("a WebSocket keeps %.1f bytes more than a plain session (%d and %d of %d)", more, by, plain, clients)
	} else {
		t.Logf("a WebSocket keeps %.1f bytes more than a plain session's %.1f", more, float64(plain)/clients)
	}
}
