package reactor

import (
	"errors"
	"testing"

	"github.com/stormwheel/stormwheel/codec"
)

// Messages that wait for a client that still reads are not dropped because many linger.
func TestStopWaitsForQueuedMessagesBeyondTheLingerBound(t *testing.T) {
	n := newNode(t, rigConfig{AdmitRate: 1e6, Handler: handler{
		Message: func(s *caller, id uint64, body []byte) { _ = s.Deliver(body) },
	}})
	slot, p := n.join()
	p.blocked = true
	n.send(slot, codec.AppendSend(nil, 1, make([]byte, 1000)))
	for n.r.node.Conns.BeginLinger(false) {
	}
	n.r.node.Stopping.Store(true)
	n.run(n.r.cfg.Tick)
	if p.closed || p.finished {
		t.Fatal("the connection is closed over its queue")
	}
	p.blocked, p.queued = false, 0
	n.run(2 * n.r.cfg.Tick)
	if !p.finished {
		t.Error("the write side is not ended when the queue is empty")
	}
}

func TestClosedIsCalledOnceForEveryOpened(t *testing.T) {
	type end struct {
		id  string
		why Reason
	}
	var ends []end
	n := newNode(t, rigConfig{Handler: handler{Closed: func(s *caller, why Reason) {
		ends = append(ends, end{s.ClientID(), why})
		if err := s.Deliver(nil); !errors.Is(err, ErrClosed) {
			t.Errorf("Deliver in Closed: %v, want ErrClosed", err)
		}
		s.Close(codec.CodeKicked)
	}}})
	slot, _ := n.join()
	n.send(slot, []byte("garbage"))
	n.r.Closed(slot, ReasonPeerClosed)
	slot, _ = n.join()
	n.r.Closed(slot, ReasonPeerReset)
	slot, _ = n.dial() // never opened
	n.r.Closed(slot, ReasonPeerClosed)
	slot, p := n.join()
	n.send(slot, codec.AppendBye(nil))
	if !p.closed {
		t.Error("BYE did not close the connection")
	}
	want := []end{{"alice", ReasonBadMagic}, {"alice", ReasonPeerReset}, {"alice", ReasonBye}}
	if len(ends) != len(want) {
		t.Fatalf("Closed was called with %v, want %v", ends, want)
	}
	for i := range want {
		if ends[i] != want[i] {
			t.Errorf("end %d: %v, want %v", i, ends[i], want[i])
		}
	}
	if n.r.counters.Conns != 0 || n.r.counters.Sessions != 0 || n.r.wheel.Len() != 0 || n.r.node.Conns.Lingering() != 0 {
		t.Errorf("conns %d sessions %d wheel %d lingering %d after all have left, want 0",
			n.r.counters.Conns, n.r.counters.Sessions, n.r.wheel.Len(), n.r.node.Conns.Lingering())
	}
}

func TestLingeringIsBoundedInNumberAndBytes(t *testing.T) {
	n := newNode(t, rigConfig{})
	limit := int(n.r.node.Conns.MaxLingering)
	for i := range limit + 5 {
		slot, p := n.dial()
		n.r.refuse(slot, ReasonFull, linger)
		if code := goAwayCode(t, p); code != codec.CodeFull {
			t.Fatalf("GOAWAY %v, want full", code)
		}
		if (i >= limit) != p.closed || p.aborted {
			t.Fatalf("farewell %d of %d: closed %v aborted %v", i+1, limit, p.closed, p.aborted)
		}
	}
	n.r.receive(n.now, 0, make([]byte, 60<<10))
	if n.net.peers[0].aborted {
		t.Fatal("cut before 64 KiB were discarded")
	}
	n.r.receive(n.now, 0, make([]byte, 5<<10))
	if !n.net.peers[0].aborted {
		t.Fatal("a lingering peer may talk without bound")
	}
}
