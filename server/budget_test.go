package server

import (
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

// Clients that never read are pushed to until they are closed; one that reads beside them
// on the same loop is answered meanwhile: a loop that waited for one of them would do so for ever.
func TestSlowConsumersAreClosedAndDelayNobody(t *testing.T) {
	var ids [16]atomic.Pointer[Ref]
	s := startNode(t, Config{Loops: 1, Tick: 20 * time.Millisecond, WriteTimeout: time.Minute, Handler: Handler{Opened: func(s *Session) {
		ref := s.Ref()
		for i := range ids {
			if s.ID() == "slow" && ids[i].CompareAndSwap(nil, &ref) {
				return
			}
		}
	}}})
	good, _ := joinNode(t, s, "good")
	var slow []*wire
	for range ids {
		w, _ := joinNode(t, s, "slow")
		slow = append(slow, w)
	}
	body := make([]byte, 32<<10)
	var rtt []time.Duration
	for range 200 {
		for i := range ids {
			if err := s.Deliver(*ids[i].Load(), body); err != nil && !errors.Is(err, ErrBusy) && !errors.Is(err, ErrClosed) {
				t.Fatal(err)
			}
		}
		start := time.Now()
		good.send(codec.AppendPing(nil, 1, 0))
		good.want(codec.Pong)
		rtt = append(rtt, time.Since(start))
	}
	eventually(t, "every slow client is closed", func() bool { return s.Stats().Closes[ReasonSlowConsumer] == uint64(len(ids)) })
	for _, w := range slow { // nor does the node wait longer for them to read their goodbye
		w.Close()
	}
	eventually(t, "nothing is queued", func() bool { return s.Stats().Queued == 0 && s.node.Budget.Queued() == 0 })
	slices.Sort(rtt)
	t.Logf("RTT beside %d slow consumers: median %v, p95 %v, max %v", len(ids), rtt[100], rtt[190], rtt[199])
}

// half is all but the last bytes of a SEND of 60 KiB.
func half() []byte { return codec.AppendSend(nil, 1, make([]byte, 60<<10))[:60<<10] }

// wantPartial watches a node until enough connections have ended for want of budget: what
// unfinished frames take must stay within the bound, but for a read of each loop.
func wantPartial(t *testing.T, s *Server, loops int, ended uint64) {
	t.Helper()
	most := int64(0)
	eventually(t, "connections end for want of budget", func() bool {
		st := s.Stats()
		most = max(most, st.Partial)
		return st.Closes[ReasonQueueBudget] >= ended
	})
	const inHand = readBuffer * 5 / 4 // what a loop has just read
	if limit := s.cfg.MaxQueuedTotal + int64(loops*inHand); most > limit {
		t.Errorf("unfinished frames take %d bytes, want %d at most", most, limit)
	}
	if got, want := s.node.Budget.Queued(), s.cfg.MaxQueuedTotal; got > want+int64(loops*inHand) {
		t.Errorf("%d bytes are charged, want %d at most", got, want)
	}
}

func TestHalfFramesOfSessionsAreInsideTheBudget(t *testing.T) {
	const holders, loops = 60, 2
	s := startNode(t, Config{Loops: loops, Tick: 10 * time.Millisecond, MaxQueuedTotal: 1 << 20})
	modest, _ := joinNode(t, s, "modest")
	ping := codec.AppendPing(nil, 1, 0)
	modest.send(ping[:10])
	for i := range holders {
		w, _ := joinNode(t, s, fmt.Sprint("c", i))
		w.Write(half()) // it may be ended already
	}
	wantPartial(t, s, loops, holders-(1<<20)/(60<<10))
	modest.send(ping[10:])
	modest.want(codec.Pong)
	late, _ := joinNode(t, s, "late")
	late.send(ping)
	late.want(codec.Pong)
}

func TestHalfHellosAreInsideTheBudget(t *testing.T) {
	const holders, loops = 120, 2
	s := startNode(t, Config{Loops: loops, Tick: 10 * time.Millisecond, MaxQueued: 66 << 10, MaxQueuedTotal: 128 << 10, HelloTimeout: time.Minute})
	hello, err := codec.AppendHello(nil, &codec.HelloMessage{MinVersion: 1, MaxVersion: 1, ClientID: []byte("a"), Token: make([]byte, 4000)})
	if err != nil {
		t.Fatal(err)
	}
	for range holders {
		dialNode(t, s).Write(hello[:4000])
	}
	wantPartial(t, s, loops, holders-(128<<10)/4000)
}

// What a node wants to have back for want of memory is what is kept most of, half sent or not;
// it does not go on to the small while the large is being collected.
func TestMemoryPressureShedsWhoHoldsMost(t *testing.T) {
	var used atomic.Int64
	s, err := New(Config{Listen: "127.0.0.1:0", Tick: 10 * time.Millisecond, IDRate: -1})
	if err != nil {
		t.Fatal(err)
	}
	s.node.Memory.Limit, s.memory = 1000, func() (int64, bool) { return used.Load(), true }
	s.collect = func() {
		if s.Stats().Closes[ReasonMemory] > 0 {
			used.Store(500)
		}
	}
	start(t, s)
	ping := codec.AppendPing(nil, 1, 0)
	modest, _ := joinNode(t, s, "modest")
	modest.send(ping[:10])
	for i := range 4 {
		w, _ := joinNode(t, s, fmt.Sprint("c", i))
		w.send(half())
	}
	eventually(t, "half frames are there", func() bool { return s.Stats().Partial >= 4*60<<10 })
	used.Store(970)
	eventually(t, "the node is well", func() bool {
		st := s.Stats()
		return st.Closes[ReasonMemory] == 4 && st.MemoryState == "fine"
	})
	modest.send(ping[10:])
	modest.want(codec.Pong)
}
