package server

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/siege"
)

// slowAuth takes its time for each client, and none for one whose time is over.
type slowAuth struct {
	takes  time.Duration
	wasted atomic.Int64
}

func (a *slowAuth) Authenticate(ctx context.Context, _ AuthRequest) (AuthGrant, error) {
	select {
	case <-time.After(a.takes):
		return AuthGrant{}, nil
	case <-ctx.Done():
		a.wasted.Add(1)
		return AuthGrant{}, ctx.Err()
	}
}

// comeUntilIn knocks until it has a session, as it is told to, and counts its attempts.
func comeUntilIn(node *siege.Target, id string, attempts *atomic.Int64, over <-chan struct{}) (*siege.Peer, bool) {
	var ticket []byte
	for {
		attempts.Add(1)
		delay := 200 * time.Millisecond
		p := node.Peer(id)
		if err := p.Dial(context.Background()); err == nil {
			hello, _ := codec.AppendHello(nil, &codec.HelloMessage{MinVersion: 1, MaxVersion: 1, ClientID: []byte(id), Ticket: ticket})
			p.Write(hello)
			if p.Want(codec.Welcome) == nil {
				return p, true
			}
			if m := p.Away; m.Code != 0 {
				ticket, delay = append([]byte(nil), m.Ticket...), m.Delay+m.Window/2
			}
			p.Close()
		}
		select {
		case <-over:
			return nil, false
		case <-time.After(delay):
		}
	}
}

// More clients than the authenticator can check while they have patience: each worker must not
// take the one who has waited longest, and has no time left, for ever.
func TestASlowAuthenticatorIsAPlateauAndNoCliff(t *testing.T) {
	const clients, workers = 1200, 16
	auth := &slowAuth{takes: 80 * time.Millisecond} // 200 a second
	s := startNode(t, Config{MaxConns: 10_000, Tick: 20 * time.Millisecond, Auth: auth, AuthWorkers: workers, AuthQueue: 2000,
		AuthTimeout: 2 * time.Second, AdmitRate: 2000, IDRate: -1})
	node := &siege.Target{Addr: s.Addr(), Patience: 5 * time.Second}
	over := make(chan struct{})
	var attempts, in atomic.Int64
	var all sync.WaitGroup
	for i := range clients {
		all.Go(func() {
			if c, ok := comeUntilIn(node, fmt.Sprint("client-", i), &attempts, over); ok {
				in.Add(1)
				t.Cleanup(func() { c.Close() })
			}
		})
	}
	began := time.Now()
	defer func() { close(over); all.Wait() }()
	eventually(t, "all are in", func() bool { return in.Load() == clients })
	t.Logf("after %v, %d attempts, %d checks wasted, pace %.0f", time.Since(began), attempts.Load(), auth.wasted.Load(), s.Stats().Pace)
	if n := auth.wasted.Load(); n > clients/20 {
		t.Errorf("%d checks came to nothing, since nobody waited for them any more", n)
	}
}

// An authenticator that hangs takes nobody, so that nobody's wait is measured: those who wait
// are overload all the same.
func TestAnAuthenticatorThatHangsIsOverload(t *testing.T) {
	auth := &blockingAuth{asked: make(chan AuthRequest, 100), answer: make(chan error)}
	s := startNode(t, Config{Loops: 1, Auth: auth, AuthWorkers: 2, AuthTimeout: time.Minute, IDRate: -1})
	for i := range 20 {
		dialNode(t, s).send(helloFrame(fmt.Sprint("client-", i)))
	}
	eventually(t, "the pace falls and the wait is seen", func() bool {
		st := s.Stats()
		return st.Pace < s.cfg.AdmitRate/4 && st.HelloWait > time.Second
	})
}

// Clients who renew are in: the node must not take them for newcomers that it has let in.
func TestARenewalIsNoNewcomer(t *testing.T) {
	w := newAuthWait(time.Second)
	for _, renewal := range []bool{true, false, true} {
		began, _ := w.begin(time.Now().Add(time.Second))
		w.end(began, renewal)
	}
	if taken := w.sample(0).Taken; taken != 1 {
		t.Errorf("%d were let in, want 1", taken)
	}
}
