package client

import (
	"crypto/tls"
	"errors"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/internal/selfsigned"
	"github.com/stormwheel/stormwheel/internal/transport"
	"github.com/stormwheel/stormwheel/internal/transport/handshake"
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

// By TLS, and by WebSocket within it: the certificate must be of the host that was named.
func TestAnEndpointMayBeOfTLS(t *testing.T) {
	var authority tls.Certificate
	var handshakes atomic.Int32
	server := tlsServer(t, func(c *tls.Config) {
		authority = c.Certificates[0]
		c.VerifyConnection = func(tls.ConnectionState) error {
			handshakes.Add(1)
			return nil
		}
	})
	defer func() { through.Server = nil }()
	for _, c := range []struct {
		endpoint string
		inner    func() transport.Stage
		trust    bool
	}{
		{"tls://a:1", nil, true},
		{"wss://a:1/edge", func() transport.Stage { return websocket.NewServer(websocket.ServerConfig{Path: "/edge"}) }, true},
		{"tls://b:1", nil, false},
	} {
		through.Server = server
		if c.inner != nil {
			through.Server = func() transport.Stage { return transport.NewStack(server(), c.inner()) }
		}
		handshakes.Store(0)
		e := &edge{nodes: map[string]func(*peer){"a:1": node, "b:1": node}}
		states := make(chan Info, 100)
		pool := selfsigned.Pool(authority)
		client, ran := run(t, Config{Endpoints: []string{c.endpoint}, Dial: e.dial, TLS: &tls.Config{RootCAs: pool}, BackoffMin: time.Millisecond,
			StateChange: func(i Info) { states <- i }})
		for i := range states {
			if c.trust && i.State == Ready {
				break
			}
			if i.LastError != nil && strings.Contains(i.LastError.Error(), "certificate") && !c.trust {
				break
			}
			if !c.trust && i.State == Ready {
				t.Fatalf("%s: the certificate of another was taken", c.endpoint)
			}
		}
		if c.trust {
			if err := client.SendAcked(t.Context(), []byte("hello")); err != nil {
				t.Error(err)
			}
			if n := handshakes.Load(); n != 1 {
				t.Errorf("%s: %d handshakes", c.endpoint, n)
			}
		}
		end(t, client, ran)
	}
}

func TestEndpointsThatMakeNoSense(t *testing.T) {
	for _, endpoints := range [][]string{{"tls://a:1", "a:1"}, {"ws://a:1", "b:1"}, {"ws://a:1/x", "ws://a:1/y"}, {"ws://:/"}, {"http://a:1"}} {
		if _, err := New(Config{Endpoints: endpoints, ID: "alice"}); err == nil || !strings.Contains(err.Error(), "Endpoints") {
			t.Errorf("%q: %v", endpoints, err)
		}
	}
}

// What no handshake could end well with is refused at once, and not by every node after a time.
func TestATLSConfigThatIsRefused(t *testing.T) {
	const once = "STORMWHEEL_TEST_FIPS"
	if os.Getenv(once) == "" {
		cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
		cmd.Env = append(os.Environ(), once+"=1", "GODEBUG=fips140=only")
		if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "PASS") {
			t.Errorf("%v\n%s", err, out)
		}
	}
	want := handshake.ErrVersion
	if os.Getenv(once) != "" {
		want = handshake.ErrFIPS // the record layer would panic
	}
	_, err := New(Config{Endpoints: []string{"tls://a:1"}, ID: "alice", TLS: &tls.Config{MaxVersion: tls.VersionTLS12}})
	if !errors.Is(err, want) {
		t.Errorf("%v, want %v", err, want)
	}
}
