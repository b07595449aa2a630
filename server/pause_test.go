package server

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

// sendInPieces sends numbered messages, cut anywhere.
func sendInPieces(t *testing.T, w *wire, messages uint64) {
	var b []byte
	for n := range messages {
		b = codec.AppendSend(b, n+1, make([]byte, n%40))
	}
	for len(b) > 0 {
		piece := min(len(b), 1+rand.IntN(400))
		if _, err := w.Write(b[:piece]); err != nil {
			t.Error(err)
			return
		}
		b = b[piece:]
	}
}

// pauseAndResume does so until stop is closed.
func pauseAndResume(t *testing.T, s *Server, ref Ref, stop chan struct{}) {
	for {
		select {
		case <-stop:
			return
		default:
		}
		if err := s.PauseRead(ref); err != nil {
			t.Error(err)
		}
		if err := s.ResumeRead(ref); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Duration(rand.IntN(int(time.Millisecond)))) // so that the mailbox is not full
	}
}

// Paused and resumed from other goroutines, and in its own handler, while its messages come in
// whatever pieces: each is handled once, in its order.
func TestPausesFromAnyGoroutineLoseAndReorderNothing(t *testing.T) {
	const clients, messages = 4, 240
	var mu sync.Mutex
	got := make(map[Ref][]uint64)
	s := startNode(t, Config{Loops: 2, Tick: 10 * time.Millisecond, Handler: Handler{
		Opened: func(s *Session) {
			mu.Lock()
			defer mu.Unlock()
			got[s.Ref()] = nil
		},
		Message: func(s *Session, m Message) {
			mu.Lock()
			got[s.Ref()] = append(got[s.Ref()], m.Number)
			mu.Unlock()
			if m.Number%50 == 0 {
				if err := s.PauseRead(); err != nil {
					t.Error(err)
				}
			}
		},
	}})
	sent, stop := make(chan struct{}), make(chan struct{})
	var pausing, sending sync.WaitGroup
	for i := range clients {
		w, _ := joinNode(t, s, fmt.Sprint("client-", i))
		sending.Go(func() { sendInPieces(t, w, messages) })
	}
	refs := func() (all []Ref) {
		mu.Lock()
		defer mu.Unlock()
		for ref := range got {
			all = append(all, ref)
		}
		return all
	}()
	for _, ref := range refs {
		pausing.Go(func() { pauseAndResume(t, s, ref, stop) })
	}
	go func() { sending.Wait(); close(sent) }()
	<-sent
	close(stop)
	pausing.Wait()
	eventually(t, "all is handled", func() bool {
		done := 0
		for _, ref := range refs {
			_ = s.ResumeRead(ref) // its handler pauses, too
			mu.Lock()
			done += len(got[ref])
			mu.Unlock()
		}
		return done == clients*messages
	})
	mu.Lock()
	defer mu.Unlock()
	for ref, all := range got {
		for i, number := range all {
			if number != uint64(i+1) {
				t.Fatalf("%v: message %d is number %d", ref, i+1, number)
			}
		}
	}
}

// The client of a paused session that falls silent, or leaves, or sends too much, is noticed as any.
func TestThePausedDie(t *testing.T) {
	paused := make(chan Ref, 1)
	closed := make(chan Reason, 1)
	cfg := Config{Loops: 1, Tick: 10 * time.Millisecond, Handler: Handler{
		Message: func(s *Session, m Message) {
			if m.Number != 1 {
				t.Errorf("message %d is handled", m.Number)
			}
			if err := s.PauseRead(); err != nil {
				t.Error(err)
			}
			paused <- s.Ref()
		},
		Closed: func(_ *Session, why Reason) { closed <- why },
	}}
	for why, end := range map[Reason]func(s *Server, w *wire, ref Ref){
		ReasonHeartbeatTimeout: func(*Server, *wire, Ref) {},
		ReasonPeerClosed:       func(_ *Server, w *wire, _ Ref) { w.Close() },
		ReasonBye:              func(_ *Server, w *wire, _ Ref) { w.send(codec.AppendBye(nil)) },
		ReasonKicked:           func(s *Server, _ *wire, ref Ref) { _ = s.Close(ref, Close{}) },
		ReasonRateLimit: func(_ *Server, w *wire, _ Ref) {
			var b []byte
			for n := range uint64(400) {
				b = codec.AppendSend(b, n+2, nil)
			}
			w.send(b)
		},
	} {
		t.Run(why.String(), func(t *testing.T) {
			cfg := cfg
			if why == ReasonHeartbeatTimeout {
				cfg.Heartbeat, cfg.Timeout = 200*time.Millisecond, 500*time.Millisecond
			}
			s := startNode(t, cfg)
			w, _ := joinNode(t, s, "alice")
			w.send(codec.AppendSend(codec.AppendSend(nil, 1, nil), 2, nil))
			end(s, w, <-paused)
			select {
			case got := <-closed:
				if got != why {
					t.Errorf("ended with %v, want %v", got, why)
				}
			case <-time.After(patience):
				t.Fatal("it goes on")
			}
			eventually(t, "nothing is kept", func() bool { st := s.Stats(); return st.Paused == 0 && st.Kept == 0 && st.Sessions == 0 })
		})
	}
}
