package server

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

var elsewhere = []string{"127.0.0.1:1"}

func TestDrainHandsOverAndEnds(t *testing.T) {
	const clients, rate = 100, 200
	const grace = 300 * time.Millisecond
	var log lines
	srv := startNode(t, Config{Alternates: elsewhere, AdmitRate: 1e6, FailoverRate: rate, DrainGrace: grace, Loops: 2,
		Logger: slog.New(slog.NewTextHandler(&log, nil))})
	var all []*wire
	for i := range clients {
		w, _ := joinNode(t, srv, fmt.Sprint("c", i))
		all = append(all, w)
	}
	began := time.Now()
	ended := make(chan error, 1)
	go func() { ended <- srv.Drain(context.Background()) }()
	eventually(t, "the drain begins", srv.node.Drain.On)
	late := dialNode(t, srv)              // within the grace
	_, _ = late.Write(helloFrame("late")) // who might ask over HTTP is not told before
	late.wantGoAway(codec.CodeDraining)
	late.Close() // or the node would wait for it to read that
	told := make([]time.Duration, clients)
	var wait sync.WaitGroup
	for i, w := range all {
		wait.Go(func() {
			f, err := w.next()
			m, _ := codec.ParseGoAway(f.Payload)
			if told[i] = time.Since(began); err != nil || m.Code != codec.CodeDraining {
				t.Errorf("told by %v %v, %v", f.Type, m.Code, err)
			}
			time.Sleep(300 * time.Millisecond)
			_, _ = w.Write(codec.AppendBye(nil))
			_, _ = w.next() // the server closes
			_ = w.Close()
		})
	}
	wait.Wait()
	slices.Sort(told)
	if told[0] < grace {
		t.Errorf("the first was told after %v, within the grace", told[0])
	}
	paced := grace + (clients-1)*time.Second/rate
	if last := told[clients-1]; last < paced-100*time.Millisecond-10*time.Millisecond {
		t.Errorf("the last was told after %v, want %v at least", last, paced)
	}
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("Drain = %v", err)
		}
	case <-time.After(patience):
		t.Fatal("Drain does not end when all have left")
	}
	if st := srv.Stats(); st.Moved != clients {
		t.Errorf("%d moved, want %d", st.Moved, clients)
	}
	if !strings.Contains(log.String(), "msg=drained moved=100 left=0") {
		t.Errorf("the log does not say how it went:\n%s", log.String())
	}
}

func TestDrainWithoutClientsEndsAtOnce(t *testing.T) {
	srv := startNode(t, Config{DrainGrace: time.Hour})
	if err := srv.Drain(t.Context()); err != nil { // within the time that all tests have
		t.Errorf("Drain = %v", err)
	}
}

func TestDrainStopsHardWhenItsContextEnds(t *testing.T) {
	srv := startNode(t, Config{DrainGrace: time.Hour})
	joinNode(t, srv, "stays") // a Stop that may wait does so for 5 s
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	began := time.Now()
	if err := srv.Drain(ctx); err != nil || time.Since(began) >= stopTime {
		t.Errorf("Drain = %v after %v", err, time.Since(began))
	}
}

// lines is a log that may be read while it is written.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
