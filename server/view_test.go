package server

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

// Methods that are called from a wrong goroutine, all the time, reach their own client at most.
func TestASessionUsedFromAWrongGoroutineReachesItsOwnClientOnly(t *testing.T) {
	var kept atomic.Pointer[Session]
	s := startNode(t, Config{Loops: 1, MaxFrameRate: -1, Handler: Handler{Message: func(s *Session, id uint64, body []byte) {
		if string(body) == "keep me" {
			kept.Store(s)
		}
		_ = s.Ack(id)
	}}})
	own, _ := joinNode(t, s, "own")
	other, _ := joinNode(t, s, "other")
	own.send(codec.AppendSend(nil, 1, []byte("keep me")))
	own.want(codec.Ack)
	stop := make(chan struct{})
	var wrong sync.WaitGroup
	wrong.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				_, _ = kept.Load().Deliver([]byte("wrong"))
				_ = kept.Load().ClientID()
			}
		}
	})
	for range 300 {
		own.send(codec.AppendSend(nil, 1, []byte("x")))
		other.send(codec.AppendSend(nil, 1, []byte("x")))
		for {
			f, err := own.next()
			if err != nil {
				t.Fatal(err)
			}
			if f.Type == codec.Ack {
				break
			}
		}
		other.want(codec.Ack)
	}
	close(stop)
	wrong.Wait()
}

// Whatever an authenticator does to its goroutine, the next client is checked.
func TestAuthenticatorThatEndsItsGoroutineCostsOneClient(t *testing.T) {
	s := startNode(t, Config{AuthWorkers: 2, Auth: authFunc(func(_ context.Context, r AuthRequest) (AuthGrant, error) {
		if r.ClientID == "bad" {
			runtime.Goexit()
		}
		return AuthGrant{}, nil
	})})
	for range 6 {
		w := dialNode(t, s)
		w.send(helloFrame("bad"))
		w.wantGoAway(codec.CodeInternal)
	}
	joinNode(t, s, "good")
	eventually(t, "counted", func() bool { return s.Stats().Panics == 6 })
}

type authFunc func(context.Context, AuthRequest) (AuthGrant, error)

func (f authFunc) Authenticate(ctx context.Context, r AuthRequest) (AuthGrant, error) {
	return f(ctx, r)
}

// A loop cannot outlive its goroutine: the node ends and says why, and its clients notice.
func TestHandlerThatEndsItsGoroutineEndsTheNodeWithAnError(t *testing.T) {
	s, err := New(Config{Listen: "127.0.0.1:0", Loops: 2, IDRate: -1, Handler: Handler{Message: func(*Session, uint64, []byte) { runtime.Goexit() }}})
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
	case <-time.After(20 * time.Second):
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

// A client that is refused since its id is in use learns when to come back.
func TestAuthenticatorRefusesAnIdInUseWithADelay(t *testing.T) {
	s := startNode(t, Config{Auth: authFunc(func(context.Context, AuthRequest) (AuthGrant, error) {
		return AuthGrant{}, &InUseError{Delay: 7 * time.Second}
	})})
	w := dialNode(t, s)
	w.send(helloFrame("alice"))
	f := w.want(codec.GoAway)
	if m, err := codec.ParseGoAway(f.Payload); err != nil || m.Code != codec.CodeInUse || m.Delay != 7*time.Second {
		t.Errorf("refused with %v and a delay of %v, %v; want in_use and 7s", m.Code, m.Delay, err)
	}
}
