package server

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

// A Stop that may not wait tells every client that reads all the same.
func TestStopAtOnceTellsEveryClient(t *testing.T) {
	clients := 300
	if transportOf(t).Client != nil {
		clients = 60 // of which handshakes are most of the time
	}
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

func TestStopSaysGoodbyeAndWaitReturnsNil(t *testing.T) {
	s := startNode(t, Config{})
	var clients []*wire
	for range 100 {
		w, _ := joinNode(t, s, "a")
		clients = append(clients, w)
	}
	fds := countDescriptors(t)
	stopped := make(chan error, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		stopped <- s.Stop(ctx)
	}()
	for _, w := range clients {
		w.wantGoAway(codec.CodeShutdown)
		w.Close()
	}
	if err := <-stopped; err != nil {
		t.Fatal(err)
	}
	if err := s.Wait(); err != nil {
		t.Fatalf("Wait after Stop: %v", err)
	}
	if err := s.Stop(context.Background()); err != nil {
		t.Fatalf("second Stop: %v", err)
	}
	if left := countDescriptors(t); left > fds-200 {
		t.Errorf("%d descriptors before, %d after 100 connections of both ends have closed", fds, left)
	}
}

func countDescriptors(t *testing.T) int {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("no /proc here")
	}
	return len(entries)
}

func TestEngineThatEndsByItselfIsAnError(t *testing.T) {
	s := startNode(t, Config{})
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	s.engine.Stop(ctx) // not through Server.Stop: as if accept had failed
	if err := s.Wait(); !errors.Is(err, ErrEngine) {
		t.Fatalf("Wait: %v, want ErrEngine", err)
	}
}

func TestStopAfterAFailedStartIsHarmless(t *testing.T) {
	first := startNode(t, Config{})
	second, err := New(Config{Listen: first.Addr()})
	if err != nil {
		t.Fatal(err)
	}
	startErr := second.Start()
	for name, stop := range map[string]func(context.Context) error{"Stop": second.Stop, "Drain": second.Drain} {
		if err := stop(context.Background()); !errors.Is(err, startErr) {
			t.Errorf("%s: %v, want the error of Start", name, err)
		}
	}
	if second.Addr() != "" || second.Stats().Conns != 0 {
		t.Error("a node that never was has an address or clients")
	}
}

// slowStopper is an engine that does not see that its loops have ended: gnet looks every 500 ms.
type slowStopper struct {
	stopper
	seen chan struct{}
}

func (s *slowStopper) Stop(ctx context.Context) error {
	err := s.stopper.Stop(ctx)
	<-s.seen
	return err
}

func TestPostsAfterTheEndAreErrors(t *testing.T) {
	s := startNode(t, Config{})
	_, m := joinNode(t, s, "a")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := s.Stop(ctx); err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"Deliver": s.Deliver(s.Ref(m.Session), nil), "Ack": s.Ack(Sender{"a", 7}, 1), "Close": s.Close(s.Ref(m.Session), Close{}),
	} {
		if !errors.Is(err, ErrClosed) {
			t.Errorf("%s: %v, want ErrClosed", name, err)
		}
	}
}

// A node without clients ends at once, however often it is told to and by how many, and says
// the same to all.
func TestStopOfAnIdleNodeIsQuickAndMayBeRepeated(t *testing.T) {
	s, err := New(Config{Listen: "127.0.0.1:0", Loops: 2})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Wait(); !errors.Is(err, ErrNotStarted) {
		t.Errorf("Wait before Start: %v, want ErrNotStarted", err)
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	gnet := &slowStopper{s.engine, make(chan struct{})}
	s.engine = gnet
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if err := s.Stop(context.Background()); err != nil {
				t.Errorf("Stop, eight at a time: %v", err)
			}
		})
	}
	all.Wait() // nobody waits for gnet, whose loops have ended
	close(gnet.seen)
	for range 20 {
		if err := s.Stop(context.Background()); err != nil {
			t.Fatalf("Stop after Stop: %v", err)
		}
		if err := s.Drain(context.Background()); err != nil {
			t.Fatalf("Drain after Stop: %v", err)
		}
	}
	if err := s.Wait(); err != nil {
		t.Errorf("Wait after Stop: %v", err)
	}
}
