package server

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/siege"
)

// opened is a handler's Opened that hands the sessions' ids on.
func opened(ids chan<- codec.SessionID) func(*Session) {
	return func(s *Session) { ids <- s.ID() }
}

// What one goroutine asks of one session happens in that order.
func TestDeliverAndAckComeBeforeTheClose(t *testing.T) {
	const clients = 50
	ids := make(chan codec.SessionID, clients)
	s := startNode(t, Config{Loops: 2, Handler: Handler{Opened: opened(ids)}})
	var all []*wire
	for i := range clients {
		w, _ := joinNode(t, s, fmt.Sprint("c", i))
		all = append(all, w)
	}
	for range clients {
		id := <-ids
		if err := errors.Join(s.Deliver(id, []byte("last words")), s.Ack(id, 7), s.Close(id, codec.CodeKicked)); err != nil {
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

// What a handler posts for its session comes before the end that it asks for at once.
func TestPostsOfAHandlerComeBeforeItsClose(t *testing.T) {
	var srv *Server
	ready := make(chan struct{})
	srv = startNode(t, Config{Handler: Handler{Message: func(s *Session, id uint64, _ []byte) {
		<-ready
		_ = srv.Deliver(s.ID(), []byte("last words"))
		_ = srv.Ack(s.ID(), id)
		_ = s.Close(0)
	}}})
	close(ready)
	w, _ := joinNode(t, srv, "alice")
	w.send(codec.AppendSend(nil, 1, []byte("bye")))
	for _, want := range []codec.Type{codec.Deliver, codec.Ack, codec.GoAway} {
		if f, err := w.next(); err != nil || f.Type != want {
			t.Fatalf("%v %v, want %v", f.Type, err, want)
		}
	}
	if st := srv.Stats(); st.Stale != 0 {
		t.Errorf("%d posts found no session", st.Stale)
	}
}

// A full mailbox takes a close, and the close waits its turn behind what is in it.
func TestACloseIsNeverRefusedAndDoesNotOvertake(t *testing.T) {
	n := newNode(t, Config{MaxQueued: 16 << 20, MaxFrame: codec.MaxPayload})
	slot, p := n.join()
	var m mailbox
	h := n.r.handle(slot)
	acks := 0
	for m.put(post{kind: postAck, handle: h, id: 1}) == nil {
		acks++
	}
	if acks != mailboxPosts {
		t.Fatalf("%d posts fit, want %d", acks, mailboxPosts)
	}
	if err := m.put(post{kind: postClose, handle: h, code: codec.CodeKicked}); err != nil {
		t.Fatalf("a close is refused: %v", err)
	}
	for n.r.runPosts(&m, never) {
	}
	types := frameTypes(t, p.in)
	if len(types) != acks+1 || types[acks] != codec.GoAway {
		t.Fatalf("%d frames, the last %v; want %d ACKs, then GOAWAY", len(types), types[len(types)-1], acks)
	}
	if err := m.put(post{kind: postAck, handle: h}); err != nil {
		t.Fatalf("the mailbox is empty and full: %v", err)
	}
}

// A Stop that may not wait tells every client that reads all the same.
func TestStopAtOnceTellsEveryClient(t *testing.T) {
	const clients = 300
	s := startNode(t, Config{Loops: 2, AdmitRate: 1e6})
	var all []*wire
	for i := range clients {
		w, _ := joinNode(t, s, fmt.Sprint("c", i))
		all = append(all, w)
	}
	now, cancel := context.WithCancel(context.Background())
	cancel()
	ended := make(chan error, 1)
	go func() { ended <- s.Stop(now) }()
	var wait sync.WaitGroup
	for i, w := range all {
		wait.Go(func() {
			f, err := w.next()
			m, _ := codec.ParseGoAway(f.Payload)
			if err != nil || m.Code != codec.CodeShutdown || m.Window == 0 {
				t.Errorf("client %d: %v, code %v, window %v, %v; want shutdown and a window", i, f.Type, m.Code, m.Window, err)
			}
			w.Close()
		})
	}
	wait.Wait()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// Start and Stop at once: the node ends, whoever comes first.
func TestStartAndStopAtOnce(t *testing.T) {
	for i := range 20 {
		s, err := New(Config{Listen: "127.0.0.1:0", Loops: 2})
		if err != nil {
			t.Fatal(err)
		}
		var both sync.WaitGroup
		var started, stopped error
		both.Go(func() { started = s.Start() })
		both.Go(func() {
			if i%2 == 0 {
				time.Sleep(time.Duration(i) * 50 * time.Microsecond)
			}
			stopped = s.Stop(context.Background())
		})
		both.Wait()
		if started != nil && !errors.Is(started, ErrStopped) || stopped != nil {
			t.Fatalf("Start: %v, Stop: %v", started, stopped)
		}
		if err := s.Wait(); err != nil {
			t.Fatalf("Wait: %v", err)
		}
	}
}

// A hundred clients who come together are told how long all of them take, not the window of the
// empty house that they found.
func TestWelcomeTellsTheWindowOfThoseWhoCameTogether(t *testing.T) {
	const clients, rate = 100, 10
	n := newNode(t, Config{FailoverRate: rate})
	for range clients {
		slot, _ := n.dial()
		n.r.shared.gate.enter()
		n.r.arrive(slot, admitted)
	}
	want := time.Duration(clients / float64(rate) * 1.05 * float64(time.Second))
	for slot, p := range n.net.peers {
		n.send(slot, helloFrame("alice"))
		m, err := codec.ParseWelcome(frames(t, p.in)[0].Payload)
		if err != nil || m.Terms.Window != want {
			t.Fatalf("told a window of %v, %v; want %v", m.Terms.Window, err, want)
		}
	}
}

// A slow consumer that reads on after all gets what was queued for it, and why it must go.
func TestASlowConsumerIsToldBehindItsQueue(t *testing.T) {
	ids := make(chan codec.SessionID, 1)
	s := startNode(t, Config{Handler: Handler{Opened: opened(ids)}})
	target := siege.Target{Addr: s.Addr()}
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

// What is sent to a client that has said BYE waits for nobody: its end was told.
func TestDeliverAfterByeIsAnsweredByClosed(t *testing.T) {
	ids, ends := make(chan codec.SessionID, 1), make(chan Reason, 1)
	s := startNode(t, Config{Handler: Handler{Opened: opened(ids), Closed: func(_ *Session, why Reason) { ends <- why }}})
	w, _ := joinNode(t, s, "alice")
	id := <-ids
	w.send(codec.AppendBye(nil))
	if why := <-ends; why != ReasonBye {
		t.Fatalf("Closed says %v, want bye", why)
	}
	if err := s.Deliver(id, []byte("too late")); err != nil {
		t.Fatal(err)
	}
	eventually(t, "counted", func() bool { return s.Stats().Stale == 1 })
}
