package server

import (
	"cmp"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/gate"
	"github.com/stormwheel/stormwheel/internal/machine"
	"github.com/stormwheel/stormwheel/internal/siege"
)

// The whole way: fine, no newcomers, unauthenticated and slow ones gone, fine again.
func TestMemoryPressureRefusesThenShedsThenRecovers(t *testing.T) {
	var used atomic.Int64
	opened := make(chan Ref, 4)
	s, err := New(Config{Listen: "127.0.0.1:0", Tick: 10 * time.Millisecond, SoftQueued: 32 << 10, MaxQueued: 1 << 20,
		MaxFrame: 256 << 10, HelloTimeout: time.Minute, WriteTimeout: time.Minute,
		Handler: Handler{Opened: func(s *Session) { opened <- s.Ref() }}})
	if err != nil {
		t.Fatal(err)
	}
	s.node.Memory.Limit, s.memory = 1000, func() (int64, bool) { return used.Load(), true }
	start(t, s)
	state := func(want gate.MemoryLevel) {
		t.Helper()
		eventually(t, "memory state "+want.String(), func() bool { return s.Stats().MemoryState == want.String() })
	}
	good, _ := joinNode(t, s, "good")
	<-opened
	sink, err := siege.Narrow.Dial("tcp", s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer sink.Close()
	sink.Write(helloFrame("slow"))
	slow := <-opened
	waiting := dialNode(t, s) // says nothing
	// The kernel has room for 128 KiB on this side and next to none on the other, so that most
	// of the rest stays the node's: for good, not for the moment in which somebody looks.
	if err := s.Deliver(slow, make([]byte, 250<<10)); err != nil {
		t.Fatal(err)
	}
	eventually(t, "queued", func() bool { return s.Stats().Queued >= 64<<10 })

	used.Store(930)
	state(gate.MemoryRefuse)
	dialNode(t, s).wantGoAway(codec.CodeFull)
	eventually(t, "refusal counted", func() bool { return s.Stats().Closes[ReasonMemory] == 1 })
	good.send(codec.AppendPing(nil, 1, 0))
	good.want(codec.Pong)

	used.Store(960)
	state(gate.MemoryShed)
	waiting.wantGoAway(codec.CodeFull)
	eventually(t, "the slow one is gone, the good one not", func() bool {
		st := s.Stats()
		return st.Sessions == 1 && st.Closes[ReasonMemory] == 3 && st.Queued == 0
	})
	good.send(codec.AppendPing(nil, 1, 0))
	good.want(codec.Pong)

	used.Store(900) // below the mark, within the hysteresis
	state(gate.MemoryRefuse)
	used.Store(800)
	state(gate.MemoryFine)
	joinNode(t, s, "again")
}

// A node that starts with too much in use refuses the very first who comes: it looks before it listens.
func TestMemoryIsJudgedBeforeTheNodeListens(t *testing.T) {
	s, err := New(Config{Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	looked := make(chan bool, 1)
	s.node.Memory.Limit, s.memory = 1000, func() (int64, bool) {
		c, err := net.Dial("tcp", s.addr)
		if err == nil {
			c.Close()
		}
		select {
		case looked <- err != nil:
		default:
		}
		return 990, true
	}
	start(t, s)
	if st := s.Stats(); !<-looked || st.MemoryState != gate.MemoryShed.String() {
		t.Errorf("ready with memory state %q", st.MemoryState)
	}
	dialNode(t, s).wantGoAway(codec.CodeFull)
}

func TestLimitsFollowFromTheMemoryLimit(t *testing.T) {
	for _, tt := range []struct {
		cfg           Config
		limit, queued int64
	}{
		{Config{MemoryLimit: 1 << 30}, 1 << 30, 256 << 20},
		{Config{MemoryLimit: 1 << 30, MaxQueuedTotal: 5 << 20}, 1 << 30, 5 << 20},
		{Config{MemoryLimit: -1, MaxQueuedTotal: -1}, 0, 0},
		{Config{MemoryLimit: -1}, 0, cmp.Or(machine.Memory(), assumedMemory) / 4},
	} {
		s, err := New(tt.cfg)
		if err != nil {
			t.Fatal(err)
		}
		if st := s.Stats(); st.MemoryLimit != tt.limit || st.MaxQueuedTotal != tt.queued {
			t.Errorf("%d and %d: limit %d, queued at most %d; want %d and %d", tt.cfg.MemoryLimit, tt.cfg.MaxQueuedTotal,
				st.MemoryLimit, st.MaxQueuedTotal, tt.limit, tt.queued)
		}
	}
	for field, cfg := range map[string]Config{
		"MaxQueuedTotal": {MaxQueuedTotal: 1000}, "SoftQueued": {SoftQueued: 1 << 20}, "MaxFrameRate": {MaxFrameRate: 1 << 30},
	} {
		if _, err := New(cfg); err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("%s: error %v does not name it", field, err)
		}
	}
}
