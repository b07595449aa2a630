package server

import (
	"fmt"
	"testing"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/reactor"
	"github.com/stormwheel/stormwheel/internal/siege"
)

// A socket at which nobody comes keeps no place from those at which somebody does.
func TestMoreUnixSocketsThanPlaces(t *testing.T) {
	dir := unixFolder(t)
	var all []Listener
	for i := range 2*unixInFlight + 1 {
		all = append(all, Listener{Addr: fmt.Sprintf("unix:%s/%d", dir, i)})
	}
	s := startNode(t, Config{Loops: 1, Listeners: all})
	for i, addr := range s.Addrs() {
		p := (&siege.Target{Addr: addr}).Peer(fmt.Sprint("one-", i))
		if err := p.Join(t.Context()); err != nil {
			t.Fatalf("socket %d: %v", i, err)
		}
		p.Close()
	}
}

// Who comes by TCP costs nothing when it is asked who is at the other end.
func TestAPeerThatIsNoneAllocatesNothing(t *testing.T) {
	l := &loop{peers: map[reactor.Slot]Peer{1: {PID: 7}}}
	if p := l.peer(1); p == nil || p.PID != 7 {
		t.Errorf("the peer is %v", p)
	}
	var kept AuthRequest
	r := &kept
	if n := testing.AllocsPerRun(100, func() { r.Peer = l.peer(2) }); n != 0 || r.Peer != nil {
		t.Errorf("%v allocations", n)
	}
}

// What a client at a unix socket has not read is with it as soon as the kernel has it, as it is with a
// client by TCP whose kernel has it: who is late at reading what is said now and then is no stalled reader.
func TestWhatAUnixSocketHoldsIsWithItsPeer(t *testing.T) {
	unsent := make(chan int, 2)
	var s *Server
	ready := make(chan struct{})
	s = startNode(t, Config{Loops: 1, Listen: unixAddr(t), Handler: Handler{Message: func(c *Session, _ Message) {
		<-ready
		l := s.loopOf(c.app.r.Session(reactor.SlotOf(c.handle)))
		unsent <- l.Unsent(reactor.SlotOf(c.handle))
		_ = c.Deliver(make([]byte, 100))
	}}})
	close(ready)
	w, _ := joinNode(t, s, "late")
	for range 2 {
		w.send(codec.AppendSend(nil, 1, nil))
		if n := <-unsent; n != 0 {
			t.Errorf("%d bytes are not with the client", n)
		}
	}
}
