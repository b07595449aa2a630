package client

import (
	"strings"
	"testing"

	"github.com/stormwheel/stormwheel/internal/transport"
	"github.com/stormwheel/stormwheel/internal/transport/websocket"
)

// An endpoint says by what a client comes, and where the WebSocket is.
func TestAnEndpointMayBeAWebSocket(t *testing.T) {
	through.Server = func() transport.Stage { return websocket.NewServer(websocket.ServerConfig{Path: "/edge"}) }
	defer func() { through.Server = nil }()
	e := &edge{nodes: map[string]func(*peer){"a:1": node}}
	ready := make(chan Info, 1)
	c, ran := run(t, Config{Endpoints: []string{"ws://a:1/edge?as=alice", "ws://b:1/edge?as=alice"}, Dial: e.dial, StateChange: func(i Info) {
		if i.State == Ready {
			ready <- i
		}
	}})
	if i := <-ready; i.Endpoint != "a:1" {
		t.Errorf("ready at %q", i.Endpoint)
	}
	if err := c.SendAcked(t.Context(), []byte("hello")); err != nil {
		t.Error(err)
	}
	end(t, c, ran)
}

func TestEndpointsThatMakeNoSense(t *testing.T) {
	for _, endpoints := range [][]string{{"tls://a:1", "a:1"}, {"ws://a:1", "b:1"}, {"ws://a:1/x", "ws://a:1/y"}, {"ws://:/"}, {"http://a:1"}} {
		if _, err := New(Config{Endpoints: endpoints, ID: "alice"}); err == nil || !strings.Contains(err.Error(), "Endpoints") {
			t.Errorf("%q: %v", endpoints, err)
		}
	}
}
