package server

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/panjf2000/gnet/v2"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/reactor"
)

// flood has goroutines post to a session as fast as they are let, until the test ends or over is true.
func flood(t *testing.T, s *Server, to Ref, over *atomic.Bool) *sync.WaitGroup {
	t.Helper()
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for !over.Load() {
				switch err := s.DeliverOptional(to, []byte("a message")); { // its reader may be slow
				case errors.Is(err, ErrBusy):
					time.Sleep(100 * time.Microsecond) // as who posts does, not to wait for anything
				case err != nil:
					return
				}
			}
		})
	}
	return &all
}

// countingLoop counts its tasks and runs none.
type countingLoop struct {
	gnet.EventLoop
	tasks int
}

func (c *countingLoop) Execute(context.Context, gnet.Runnable) error {
	c.tasks++
	return nil
}

// gnet would run a turn that is asked for before its last task has ended ahead of all sockets.
func TestATurnWithPostsLeftIsFollowedAfterTheSocketsOnly(t *testing.T) {
	e, _ := plainLoop(t)
	l := (*e.srv.loops.Load())[0]
	el := new(countingLoop)
	l.el = el
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	defer write.Close()
	l.rest.conn, l.rest.bell = new(fakeConn), int(write.Fd())
	l.turnOver = func(reactor.Part) bool { return true } // at once: a session a turn
	for slot := range reactor.Slot(3) {
		if slot > 0 {
			c := new(fakeConn)
			l.accept(c, nil)
			c.in = helloFrame("bob")
			e.OnTraffic(c)
		}
		if err := l.reactor.Mailbox().Deliver(l.reactor.Handle(slot), nil); err != nil {
			t.Fatal(err)
		}
	}
	_ = l.Run(t.Context())
	if l.ask(); el.tasks != 0 {
		t.Fatalf("%d turns are asked for although the sockets wait", el.tasks)
	}
	rung := make([]byte, 8)
	if n, err := read.Read(rung); n != 1 || err != nil {
		t.Fatalf("the bell has %d bytes, %v", n, err)
	}
	if l.goOn(); el.tasks != 1 || !l.posting() {
		t.Fatalf("%d turns are asked for, posts are left: %t; want one", el.tasks, l.posting())
	}
	_ = l.Run(t.Context())
	_, _ = read.Read(rung)
	l.goOn()
	l.ended = l.now() + time.Hour // so that the last of the posts are done soon after, for certain
	_ = l.Run(t.Context())
	if n, _ := read.Read(rung); n != 1 || l.posting() {
		t.Fatalf("%d bytes, posts are left: %t; want a rest with nothing left", n, l.posting())
	}
	if l.goOn(); el.tasks != 2 || l.asked.Load() != 0 {
		t.Errorf("a turn follows that nobody wants: %d, asked for: %t", el.tasks, l.asked.Load() != 0)
	}
	if l.ask(); el.tasks != 3 {
		t.Error("who wants one then is not heard")
	}
}

// However much is posted, sockets are served in between, and deadlines are kept.
func TestAFloodOfPostsKeepsNoSocketWaiting(t *testing.T) {
	ids := make(chan Ref, 2)
	s := startNode(t, Config{Loops: 1, Timeout: 4 * time.Second, Heartbeat: time.Second, Tick: 50 * time.Millisecond, Handler: Handler{Opened: opened(ids)}})
	reader, _ := joinNode(t, s, "reader")
	to := <-ids
	pinger, _ := joinNode(t, s, "pinger")
	joinNode(t, s, "silent")
	var over atomic.Bool
	posters := flood(t, s, to, &over)
	read := make(chan uint64)
	go func() {
		delivers := uint64(0)
		for {
			f, err := reader.next()
			if err != nil || f.Type == codec.GoAway {
				read <- delivers
				return
			}
			if f.Type == codec.Deliver {
				if delivers++; delivers%100 == 0 {
					_, _ = reader.Write(codec.AppendPing(nil, 1, 0)) // it lives
				}
			}
		}
	}()
	before := s.Stats().Delivers
	for i := range uint64(200) {
		pinger.send(codec.AppendPing(nil, i, 0))
		pinger.want(codec.Pong)
	}
	beating := func(ok func() bool) func() bool {
		return func() bool {
			pinger.send(codec.AppendPing(nil, 0, 0))
			pinger.want(codec.Pong)
			return ok()
		}
	}
	eventually(t, "the flood is on", beating(func() bool { return s.Stats().Delivers > before+10_000 }))
	eventually(t, "who is silent is evicted", beating(func() bool { return s.Stats().Closes[ReasonHeartbeatTimeout] == 1 }))
	over.Store(true)
	posters.Wait()
	_ = s.Close(to, Close{})
	if <-read == 0 {
		t.Error("no message was read")
	}
}

// What one goroutine asks of one session happens in that order, also when many post to it.
func TestManyPostersKeepTheirOrders(t *testing.T) {
	const posters, each = 8, 3000
	ids := make(chan Ref, 1)
	s := startNode(t, Config{Loops: 1, MaxQueued: 4 << 20, Handler: Handler{Opened: opened(ids)}})
	w, _ := joinNode(t, s, "alice")
	to := <-ids
	for i := range posters {
		go func() {
			for j := range uint32(each) {
				body := binary.BigEndian.AppendUint32([]byte{byte(i)}, j)
				for errors.Is(s.Deliver(to, body), ErrBusy) {
					time.Sleep(100 * time.Microsecond)
				}
			}
		}()
	}
	var next [posters]uint32
	for range posters * each {
		body := w.want(codec.Deliver).Payload[8:]
		if from, got := body[0], binary.BigEndian.Uint32(body[1:]); got != next[from] {
			t.Fatalf("poster %d: message %d came, want %d", from, got, next[from])
		}
		next[body[0]]++
	}
}

// A loop that rests is asked for a turn by nobody else, and loses no request.
func TestWhoAsksARestingLoopIsHeard(t *testing.T) {
	ids := make(chan Ref, 1)
	s := startNode(t, Config{Loops: 1, Handler: Handler{Opened: opened(ids)}})
	w, _ := joinNode(t, s, "alice")
	to := <-ids
	for i := range 3000 { // one at a time, as fast as the answers come
		body := fmt.Append(nil, i)
		if err := s.Deliver(to, body); err != nil {
			t.Fatal(err)
		}
		if got := w.want(codec.Deliver).Payload[8:]; string(got) != string(body) {
			t.Fatalf("%s came, want %s", got, body)
		}
	}
}

func TestPublicationsHaveAShortTurnOrWhatTheSocketsTook(t *testing.T) {
	for _, tt := range []struct{ behind, want time.Duration }{
		{-time.Second, 150 * time.Microsecond}, {10 * time.Microsecond, 150 * time.Microsecond},
		{400 * time.Microsecond, 400 * time.Microsecond}, {time.Second, 900 * time.Microsecond},
	} {
		if got := manyTime(time.Millisecond, tt.behind); got != tt.want {
			t.Errorf("after %v they have %v, want %v", tt.behind, got, tt.want)
		}
	}
}
