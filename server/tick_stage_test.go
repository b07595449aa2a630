package server

import (
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/internal/transport"
	"github.com/stormwheel/stormwheel/internal/transport/transporttest"
)

// A stage is told the time while its connections say nothing.
func TestAStageIsToldTheTime(t *testing.T) {
	t.Parallel()
	s, err := New(Config{Listen: "127.0.0.1:0", Loops: 1, Tick: 10 * time.Millisecond, HelloTimeout: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	var ticks atomic.Int64
	s.stage = func() transport.Stage {
		return transporttest.Timed{Stage: transporttest.NewLength(false, false), Ticks: &ticks}
	}
	start(t, s)
	c, err := net.Dial("tcp", s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	eventually(t, "some ticks", func() bool { return ticks.Load() > 5 })
}
