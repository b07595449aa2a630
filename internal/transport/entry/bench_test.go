package entry

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/transport"
	"github.com/stormwheel/stormwheel/internal/transport/handshake"
)

// A heartbeat by TLS on a loop of one connection and of many: what the stages add to it.
func BenchmarkHeartbeat(b *testing.B) {
	for _, n := range []transport.Slot{1, 2048} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			const pings = 1 << 17
			server, config := tlsConfigs(b)
			stage := New(Config{Listeners: []Rules{{TLSPlain: true}}, TLS: server()})
			ours, theirs := transport.NewLines(stage), transport.NewLines(handshake.NewClient(config, nil))
			wires := make([][]byte, 0, pings)
			ping, pong := codec.AppendPing(nil, 1, 0), codec.AppendPing(nil, 2, 0)
			ours.Tick(time.Hour)
			for s := range n {
				stage.Arrive(s, 0, netip.Addr{})
				ours.Begin(s)
				up := append([]byte(nil), theirs.Begin(s)...)
				theirs.Seal(s, ping)
				if _, err := converseAt(s, ours, theirs, up); err != nil {
					b.Fatal(err)
				}
			}
			for i := range pings {
				wires = append(wires, append([]byte(nil), theirs.Seal(transport.Slot(i)%n, ping)...))
			}
			i := 0
			beat := func() {
				s := transport.Slot(i) % n
				in, err := ours.Receive(s, wires[i])
				if err != nil || len(in.Plain) != len(ping) {
					b.Fatal(len(in.Plain), err)
				}
				ours.Seal(s, pong)
				ours.Keep(s, nil)
				if ours.Held(s)-ours.Waiting(s) != 0 {
					b.Fatal("held")
				}
				i++
			}
			for range 2 * n {
				beat()
			}
			b.ReportAllocs()
			b.ResetTimer()
			for range b.N {
				beat()
			}
		})
	}
}
