package server

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

// A node that stops leaves nobody waiting: what was accepted has an outcome when Wait returns.
func TestEveryOutcomeIsToldWhenTheNodeHasEnded(t *testing.T) {
	s, err := New(Config{Listen: "127.0.0.1:0", Loops: 2, IDRate: -1})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	told := make(map[int]int)
	var ids []Ref
	for i := range 8 {
		w, m := joinNode(t, s, fmt.Sprint("c", i))
		go func() {
			for _, err := w.Next(); err == nil; _, err = w.Next() {
			}
			w.Close()
		}()
		ids = append(ids, s.Ref(m.Session))
	}
	accepted, stop := 0, time.After(50*time.Millisecond)
	stopped := make(chan error, 1)
	for i := 0; ; i++ {
		select {
		case <-stop:
			go func() {
				ctx, cancel := context.WithCancel(context.Background())
				cancel()
				stopped <- s.Stop(ctx)
			}()
		default:
		}
		err := s.DeliverFunc(ids[i%len(ids)], []byte("x"), func(Outcome) {
			mu.Lock()
			told[i]++
			mu.Unlock()
		})
		if errors.Is(err, ErrClosed) {
			break
		}
		if err == nil {
			accepted++
		}
	}
	if err := errors.Join(<-stopped, s.Wait()); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	defer mu.Unlock()
	twice := 0
	for _, n := range told {
		if n != 1 {
			twice++
		}
	}
	if len(told) != accepted || twice > 0 {
		t.Errorf("%d outcomes of %d messages, %d of them more than one", len(told), accepted, twice)
	}
}

// Nor does one whose loop a handler has ended.
func TestEveryOutcomeIsToldWhenALoopHasEnded(t *testing.T) {
	s, err := New(Config{Listen: "127.0.0.1:0", Loops: 1, IDRate: -1})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	w, m := joinNode(t, s, "alice")
	var mu sync.Mutex
	var told []Outcome
	for range 3 {
		if err := s.DeliverFunc(s.Ref(m.Session), nil, func(o Outcome) {
			mu.Lock()
			told = append(told, o)
			mu.Unlock()
			if o.Number == 1 {
				runtime.Goexit()
			}
		}); err != nil {
			t.Fatal(err)
		}
		w.want(codec.Deliver)
	}
	w.send(ackRange(1, 3, 0))
	if err := s.Wait(); !errors.Is(err, ErrGoexit) {
		t.Errorf("Wait: %v, want ErrGoexit", err)
	}
	want := []Outcome{
		{Session: s.Ref(m.Session), Number: 1, Result: Acknowledged},
		{Session: s.Ref(m.Session), Number: 2, Result: Lost, End: ReasonShutdown},
		{Session: s.Ref(m.Session), Number: 3, Result: Lost, End: ReasonShutdown},
	}
	mu.Lock()
	defer mu.Unlock()
	if !reflect.DeepEqual(told, want) {
		t.Errorf("%+v, want %+v", told, want)
	}
}

// A function that ends its goroutine ends the node, and every outcome is told all the same.
func TestOutcomesAreToldThoughTheirFunctionsEndTheirGoroutines(t *testing.T) {
	told := 0
	s, err := New(Config{Listen: "127.0.0.1:0", Loops: 1, Handler: Handler{Message: func(s *Session, _ Message) {
		for range 3 {
			_ = s.DeliverFunc([]byte("x"), func(o Outcome) {
				told++
				if o.Result == Lost {
					if err := s.DeliverFunc([]byte("y"), func(Outcome) {}); !errors.Is(err, ErrClosed) {
						t.Errorf("DeliverFunc in the end: %v, want ErrClosed", err)
					}
				}
				runtime.Goexit()
			})
		}
	}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	w, _ := joinNode(t, s, "a")
	w.send(codec.AppendSend(nil, 1, []byte("x")))
	w.want(codec.Deliver)
	w.send(codec.AppendAck(nil, codec.AckOf(1)))
	ended := make(chan error, 1)
	go func() { ended <- s.Wait() }()
	select {
	case err := <-ended:
		if !errors.Is(err, ErrGoexit) || told != 3 {
			t.Errorf("Wait = %v; %d outcomes are told, want 3", err, told)
		}
	case <-time.After(patience):
		t.Fatal("Wait hangs")
	}
}
