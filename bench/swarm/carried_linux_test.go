package swarm

import (
	"net"
	"net/netip"
	"sync"
	"testing"

	"github.com/stormwheel/stormwheel/bench/benchtest"
	"github.com/stormwheel/stormwheel/bench/result"
	"github.com/stormwheel/stormwheel/internal/netstage"
	"github.com/stormwheel/stormwheel/internal/transport"
	"github.com/stormwheel/stormwheel/internal/transport/entry"
)

// addressed is a node's stage that tells where its connections come from, for the relay's one each.
type addressed struct {
	*entry.Stage
	told func(netip.Addr)
}

func (a addressed) Begin(s transport.Slot, dst []byte) []byte {
	a.Arrive(s, 0, netip.MustParseAddr("127.0.0.1"))
	return a.Stage.Begin(s, dst)
}

func (a addressed) Open(s transport.Slot, plain, wire []byte) (transport.Opened, error) {
	before := a.Addr(s)
	o, err := a.Stage.Open(s, plain, wire)
	if now := a.Addr(s); now != before {
		a.told(now)
	}
	return o, err
}

// Clients come by what the configuration says, each from an address of its own.
func TestASwarmByWebSocketBehindABalancer(t *testing.T) {
	for _, c := range []struct{ path, proxy string }{{"/edge", ""}, {"/edge", "v2"}, {"", "v1"}} {
		t.Run(c.path+c.proxy, func(t *testing.T) {
			node := benchtest.Start(t, &benchtest.Node{})
			ln, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			rules := entry.Rules{Plain: true, WebSocket: c.path != ""}
			if c.proxy != "" {
				rules.Proxy, rules.Trusted = entry.ProxyRequired, netip.Addr.IsLoopback
			}
			var mu sync.Mutex
			from := make(map[netip.Addr]int)
			cfg := entry.Config{Listeners: []entry.Rules{rules}}
			cfg.WebSocket.Path = c.path
			relayed := make(chan struct{})
			go func() {
				defer close(relayed)
				netstage.Relay(ln, node.Addr(), func() transport.Stage {
					return addressed{entry.New(cfg), func(addr netip.Addr) {
						mu.Lock()
						defer mu.Unlock()
						from[addr]++
					}}
				})
			}()
			s, err := New(Config{Conns: 21, Rate: 5000, Seed: 1, Loops: 2, PongTimeout: benchtest.Patience, WebSocket: c.path, ProxyProtocol: c.proxy,
				Endpoints: []netip.AddrPort{netip.MustParseAddrPort(ln.Addr().String())}})
			if err != nil {
				t.Fatal(err)
			}
			s.Start(Monotonic())
			benchtest.WaitFor(t, "100 PONGs", func() bool { return s.Counts().Pongs >= 100 })
			sum := s.Finish()
			ln.Close()
			<-relayed
			if n := sum.Counters; n.Established != 21 || n.Losses != (result.Losses{}) || n.Failures != (result.Failures{}) {
				t.Errorf("tally = %+v, want 21 undisturbed sessions", n)
			}
			mu.Lock()
			defer mu.Unlock()
			if want := map[bool]int{true: 21}[c.proxy != ""]; len(from) != want {
				t.Errorf("they come from %d addresses, want %d: %v", len(from), want, from)
			}
		})
	}
}
