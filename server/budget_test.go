package server

import (
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

// Clients that never read are pushed to until they are closed; one that reads beside them
// on the same loop sees no delay.
func TestSlowConsumersAreClosedAndDelayNobody(t *testing.T) {
	var ids [16]atomic.Uint64
	s := startNode(t, Config{Loops: 1, Tick: 20 * time.Millisecond, WriteTimeout: time.Second, Handler: Handler{Opened: func(s *Session) {
		for i := range ids {
			if s.ClientID() == "slow" && ids[i].CompareAndSwap(0, s.ID().Handle) {
				return
			}
		}
	}}})
	good, _ := joinNode(t, s, "good")
	for range ids {
		joinNode(t, s, "slow")
	}
	body := make([]byte, 32<<10)
	var rtt []time.Duration
	for range 200 {
		for i := range ids {
			id := codec.SessionID{Epoch: s.node.Epoch, Handle: ids[i].Load()}
			if err := s.Deliver(id, body); err != nil && !errors.Is(err, ErrBusy) {
				t.Fatal(err)
			}
		}
		start := time.Now()
		good.send(codec.AppendPing(nil, 1, 0))
		good.want(codec.Pong)
		rtt = append(rtt, time.Since(start))
	}
	eventually(t, "every slow client is closed", func() bool { return s.Stats().Closes[ReasonSlowConsumer] == uint64(len(ids)) })
	eventually(t, "nothing is queued", func() bool { return s.Stats().Queued == 0 && s.node.Budget.Queued() == 0 })
	slices.Sort(rtt)
	t.Logf("RTT beside %d slow consumers: median %v, p95 %v, max %v", len(ids), rtt[100], rtt[190], rtt[199])
	if rtt[100] > 50*time.Millisecond || rtt[199] > time.Second {
		t.Errorf("a reading client waited: median %v, max %v", rtt[100], rtt[199])
	}
}
