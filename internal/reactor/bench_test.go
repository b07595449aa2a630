package reactor

import (
	"fmt"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/timingwheel"
)

// BenchmarkHeartbeat is what a PING costs the reactor, from its bytes to those of its
// PONG; reading and writing the socket come on top.
func BenchmarkHeartbeat(b *testing.B) {
	for _, sessions := range []int{1, 10_000} {
		b.Run(fmt.Sprint("sessions=", sessions), func(b *testing.B) {
			n := newNode(b, rigConfig{})
			var slots []timingwheel.ID
			for range sessions {
				n.now += time.Millisecond
				slot, _ := n.join()
				slots = append(slots, slot)
			}
			n.r.transport = sink{n.net}
			ping := codec.AppendPing(nil, 1, 0)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				n.now += time.Millisecond
				n.r.receive(n.now, slots[i%len(slots)], ping)
			}
			if n.r.counters.Sessions != int64(sessions) {
				b.Fatalf("%d of %d sessions are left", n.r.counters.Sessions, sessions)
			}
		})
	}
}

// sink takes everything at once and keeps nothing.
type sink struct{ *network }

func (sink) Write(timingwheel.ID, []byte) (sent, queued int) { return 0, 0 }
