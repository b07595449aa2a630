package swarm

import (
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/bench/foreign"
	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/link"
)

func TestAHeartbeatOfAForeignProtocolAllocatesNothing(t *testing.T) {
	ping := codec.AppendPing(nil, 9, 0)
	for protocol, answer := range map[string][]byte{foreign.MQTT: {0xd0, 0}, foreign.Echo: ping} {
		translator, err := foreign.New(protocol, foreign.Config{Interval: time.Second})
		if err != nil {
			t.Fatal(err)
		}
		l := loop{foreign: translator}
		a := link.Action{Op: link.Write, Attempt: 1, Data: ping}
		if n := testing.AllocsPerRun(100, func() {
			l.toServer(&a)
			l.frame, _, _ = l.foreign.Inbound(l.frame[:0], answer, foreign.Asked{Token: 9})
		}); n != 0 {
			t.Errorf("%s: %v allocations a heartbeat", protocol, n)
		}
	}
}
