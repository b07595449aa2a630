package server

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/siege"
)

// opened is a handler's Opened that hands the sessions' ids on.
func opened(ids chan<- Ref) func(*Session) {
	return func(s *Session) { ids <- s.Ref() }
}

// What one goroutine asks of one session happens in that order.
func TestDeliverAndAckComeBeforeTheClose(t *testing.T) {
	const clients = 50
	ids, taken := make(chan Ref, clients), make(chan struct{}, clients)
	s := startNode(t, Config{Loops: 2, Handler: Handler{
		Opened:  opened(ids),
		Message: func(*Session, Message) { taken <- struct{}{} },
	}})
	var all []*wire
	for i := range clients {
		w := joinSender(t, s, fmt.Sprint("c", i), 1)
		all = append(all, w)
		ref, from := <-ids, Sender{fmt.Sprint("c", i), 7}
		w.send(codec.AppendSend(nil, 7, nil))
		<-taken
		if err := errors.Join(s.Deliver(ref, []byte("last words")), s.Ack(from, 7), s.Close(ref, Close{Code: codec.CodeKicked})); err != nil {
			t.Fatal(err)
		}
	}
	for i, w := range all {
		for _, want := range []codec.Type{codec.Deliver, codec.Ack, codec.GoAway} {
			if f, err := w.next(); err != nil || f.Type != want {
				t.Fatalf("client %d: %v %v, want %v", i, f.Type, err, want)
			}
		}
	}
}

// A slow consumer that reads on after all gets what was queued for it, and why it must go.
func TestASlowConsumerIsToldBehindItsQueue(t *testing.T) {
	ids := make(chan Ref, 1)
	s := startNode(t, Config{Handler: Handler{Opened: opened(ids)}})
	target := siege.Target{Addr: s.Addr(), Stage: transportOf(t).Client}
	w := &wire{target.Peer("slow"), t}
	defer w.Close()
	if err := w.DialBy(t.Context(), siege.Narrow); err != nil {
		t.Fatal(err)
	}
	w.send(helloFrame("slow"))
	w.want(codec.Welcome)
	id := <-ids
	body := make([]byte, 32<<10)
	eventually(t, "it is a slow consumer", func() bool {
		_ = s.Deliver(id, body)
		return s.Stats().Closes[ReasonSlowConsumer] == 1
	})
	delivers := 0
	for {
		f, err := w.next()
		if err != nil {
			t.Fatalf("%v after %d messages, want GOAWAY first", err, delivers)
		}
		if f.Type == codec.Deliver {
			delivers++
			continue
		}
		if m, err := codec.ParseGoAway(f.Payload); err != nil || m.Code != codec.CodeSlowConsumer {
			t.Fatalf("%v with %v, %v; want slow_consumer", f.Type, m.Code, err)
		}
		break
	}
	if want := (256 << 10) / len(body); delivers < want-1 {
		t.Errorf("%d messages before the goodbye, want %d at least", delivers, want-1)
	}
}

// What a handler posts beside as much as may wait has room of its own before the end.
func TestAPostBehindAFullCallbackComesBeforeItsClose(t *testing.T) {
	body := make([]byte, 60_000)
	var srv *Server
	ready := make(chan struct{})
	srv = startNode(t, Config{MaxQueued: 256 << 10, Handler: Handler{Message: func(s *Session, _ Message) {
		<-ready
		for range 4 {
			if err := s.Deliver(body); err != nil {
				t.Error(err)
			}
		}
		_ = srv.Deliver(s.Ref(), body)
		_ = s.Close(Close{})
	}}})
	close(ready)
	w, _ := joinNode(t, srv, "alice")
	w.send(codec.AppendSend(nil, 0, nil))
	for range 5 {
		w.want(codec.Deliver)
	}
	w.want(codec.GoAway)
}
