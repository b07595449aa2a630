package server

import (
	"errors"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/gate"
	"github.com/stormwheel/stormwheel/internal/reactor"
)

// sink is a transport whose clients take everything at once.
type sink struct{ reactor.Transport }

func (sink) Write(reactor.Slot, []byte) (sent, queued int) { return 0, 0 }

func (sink) Waited(reactor.Slot) (time.Duration, bool) { return 0, true }

func (sink) RemoteAddr(reactor.Slot) netip.Addr { return netip.Addr{} }

func TestCallbacksAllocateNothing(t *testing.T) {
	messages := 0
	s, err := New(Config{MaxFrameRate: -1, MaxByteRate: -1, Handler: Handler{Message: func(s *Session, m Message) {
		messages++
		_ = s.Ack(m.Number)
	}}})
	if err != nil {
		t.Fatal(err)
	}
	s.node.Conns = gate.NewConns(1000, 10, 1, loopDescriptors, s.cfg.MaxConns)
	app := &application{handler: &s.cfg.Handler, epoch: 7, log: s.cfg.Logger, wall: time.Now}
	r, err := reactor.New(s.gated.reactor, reactor.Env{Node: s.node, Transport: sink{}, App: app, Wall: time.Now}, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Release()
	app.r = r
	slot, _ := r.Open(time.Second)
	r.Enter(slot, 0)
	r.Receive(time.Second, slot, helloFrame("alice"))
	send := codec.AppendSend(nil, 1, []byte("x"))
	if allocs := testing.AllocsPerRun(1000, func() { r.Receive(time.Second, slot, send) }); allocs > 0 {
		t.Errorf("%v allocations for a SEND and its ACK", allocs)
	}
	if messages < 1000 {
		t.Errorf("the handler was called %d times", messages)
	}
}

// A loop cannot outlive its goroutine: the node ends and says why, and its clients notice.
func TestHandlerThatEndsItsGoroutineEndsTheNodeWithAnError(t *testing.T) {
	s, err := New(Config{Listen: "127.0.0.1:0", Loops: 2, IDRate: -1, Handler: Handler{Message: func(*Session, Message) { runtime.Goexit() }}})
	if err != nil {
		t.Fatal(err)
	}
	before := openDescriptors()
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	var all []*wire
	for range 8 {
		w, _ := joinNode(t, s, "a")
		all = append(all, w)
	}
	all[0].send(codec.AppendSend(nil, 1, nil))
	ended := make(chan error, 1)
	go func() { ended <- s.Wait() }()
	select {
	case err := <-ended:
		if !errors.Is(err, ErrGoexit) {
			t.Errorf("Wait: %v, want ErrGoexit", err)
		}
	case <-time.After(patience):
		t.Fatal("the node goes on without one of its loops")
	}
	for _, w := range all {
		for {
			if _, err := w.next(); err != nil {
				if ne, ok := err.(interface{ Timeout() bool }); ok && ne.Timeout() {
					t.Fatal("a client of the node does not notice")
				}
				break
			}
		}
		w.Close()
	}
	wantDescriptors(t, before)
}
