package swarm

import (
	"crypto/tls"
	"net"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/bench/benchtest"
	"github.com/stormwheel/stormwheel/bench/result"
	"github.com/stormwheel/stormwheel/internal/netstage"
	"github.com/stormwheel/stormwheel/internal/selfsigned"
	"github.com/stormwheel/stormwheel/internal/transport"
	"github.com/stormwheel/stormwheel/internal/transport/handshake"
	"github.com/stormwheel/stormwheel/internal/transport/transporttest"
)

// What a swarm counts does not depend on what its bytes come through.
func TestASwarmThroughAStage(t *testing.T) {
	own, err := selfsigned.New(time.Hour, "localhost")
	if err != nil {
		t.Fatal(err)
	}
	config, err := handshake.NewConfig(&tls.Config{Certificates: []tls.Certificate{own}})
	if err != nil {
		t.Fatal(err)
	}
	secure := (&TLS{Insecure: true, Resume: true}).Config()
	const conns = 15 // so few that their handshakes are over within their time on a busy machine, too
	var ticks atomic.Int64
	for name, stage := range map[string]func(client bool) transport.Stage{
		"tls": func(client bool) transport.Stage {
			if client {
				return handshake.NewClient(secure, Monotonic)
			}
			return handshake.NewServer(config, nil)
		},
		"length": func(client bool) transport.Stage {
			return transporttest.Timed{Stage: transporttest.NewLength(client, false), Ticks: &ticks}
		},
		"length, away": func(client bool) transport.Stage { return transporttest.NewLength(client, true) },
		"header": func(client bool) transport.Stage {
			if client {
				return &transporttest.Header{From: netip.AddrFrom4([4]byte{192, 0, 2, 1})}
			}
			return new(transporttest.Header)
		},
	} {
		t.Run(name, func(t *testing.T) {
			node := benchtest.Start(t, &benchtest.Node{})
			ln, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			relayed := make(chan struct{})
			go func() {
				defer close(relayed)
				netstage.Relay(ln, node.Addr(), func() transport.Stage { return stage(false) })
			}()
			s, err := newSwarm(Config{Conns: conns, Rate: 5000, Seed: 1, Loops: 2, PongTimeout: benchtest.Patience,
				Endpoints: []netip.AddrPort{netip.MustParseAddrPort(ln.Addr().String())}}, func() transport.Stage { return stage(true) })
			if err != nil {
				t.Fatal(err)
			}
			s.Start(Monotonic())
			benchtest.WaitFor(t, "all are ready", func() bool { return s.Ready() == conns })
			benchtest.WaitFor(t, "100 PONGs", func() bool { return s.Counts().Pongs >= 100 })
			if name == "length" {
				benchtest.WaitFor(t, "the stage is told the time", func() bool { return ticks.Load() > 5 })
			}
			sum := s.Finish()
			ln.Close()
			<-relayed
			if n := sum.Counters; n.Established != conns || n.Attempts != conns || n.Losses != (result.Losses{}) || n.Failures != (result.Failures{}) {
				t.Errorf("tally = %+v, want %d undisturbed sessions", n, conns)
			}
		})
	}
}
