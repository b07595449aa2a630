package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

// blockingAuth is an authenticator under the test's thumb.
type blockingAuth struct {
	asked  chan AuthRequest
	answer chan error
}

func (a *blockingAuth) Authenticate(ctx context.Context, req AuthRequest) (AuthGrant, error) {
	a.asked <- req
	select {
	case err := <-a.answer:
		if err != nil && err.Error() == "panic" {
			panic("boom")
		}
		return AuthGrant{}, err
	case <-ctx.Done():
		return AuthGrant{}, ctx.Err()
	}
}

func TestAuthenticatorRunsOffTheLoopAndIsBounded(t *testing.T) {
	auth := &blockingAuth{asked: make(chan AuthRequest, 10), answer: make(chan error)}
	s := startNode(t, Config{Auth: auth, AuthWorkers: 1, AuthQueue: 1, Loops: 1, Tick: 10 * time.Millisecond})
	first := dialNode(t, s)
	first.send(helloFrame("first"))
	if req := <-auth.asked; req.ClientID != "first" || !req.Addr.IsLoopback() {
		t.Fatalf("asked about %+v", req)
	}
	second := dialNode(t, s)
	second.send(helloFrame("second"))
	eventually(t, "the second waits", func() bool { return len(s.auth.jobs) == 1 })
	third := dialNode(t, s)
	third.send(helloFrame("third"))
	// While the authenticator blocks, the loop answers.
	if m, err := codec.ParseGoAway(third.want(codec.GoAway).Payload); err != nil || m.Code != codec.CodeBusy || m.Delay != time.Second || m.Window != time.Second {
		t.Fatalf("GOAWAY %v with delay %v and window %v, want busy and a second of each", m.Code, m.Delay, m.Window)
	}

	auth.answer <- nil
	first.want(codec.Welcome)
	<-auth.asked
	auth.answer <- errors.New("panic")
	second.wantGoAway(codec.CodeInternal)
	eventually(t, "the panic is counted", func() bool { return s.Stats().Panics == 1 })
	for _, tt := range []struct {
		err  error
		code codec.Code
	}{{ErrUnauthorized, codec.CodeUnauthorized}, {ErrTokenExpired, codec.CodeTokenExpired}, {errors.New("database is down"), codec.CodeBusy}} {
		w := dialNode(t, s)
		w.send(helloFrame("x"))
		<-auth.asked
		auth.answer <- tt.err
		w.wantGoAway(tt.code)
	}
	first.send(codec.AppendPing(nil, 1, 0))
	first.want(codec.Pong)
}

// An Authenticator learns which attempt of which incarnation asks.
func TestAuthRequestTellsIncarnationAndAttempt(t *testing.T) {
	asked := make(chan AuthRequest, 1)
	s := startNode(t, Config{Auth: authFunc(func(_ context.Context, r AuthRequest) (AuthGrant, error) {
		asked <- r
		return AuthGrant{}, nil
	})})
	w := dialNode(t, s)
	b, err := codec.AppendHello(nil, &codec.HelloMessage{MinVersion: 1, MaxVersion: 1, ClientID: []byte("alice"), Incarnation: 77, Attempt: 3})
	if err != nil {
		t.Fatal(err)
	}
	w.send(b)
	w.want(codec.Welcome)
	select {
	case r := <-asked:
		if r.Incarnation != 77 || r.Attempt != 3 {
			t.Errorf("asked about incarnation %d, attempt %d; want 77 and 3", r.Incarnation, r.Attempt)
		}
	case <-time.After(patience):
		t.Fatal("the authenticator was not asked")
	}
}

// Those whose token is being checked are not in yet, so they are among the tenth. They take
// half of it at most, and are not sent away as silent.
func TestClientsThatAreBeingCheckedTakeHalfOfTheShare(t *testing.T) {
	const clients = minPending + 100
	auth := &blockingAuth{asked: make(chan AuthRequest, clients), answer: make(chan error)}
	s := startNode(t, Config{MaxConns: 800, Loops: 1, Tick: 20 * time.Millisecond, Auth: auth, AuthTimeout: time.Minute, AdmitRate: 100_000,
		HelloTimeout: time.Minute})
	var mu sync.Mutex
	busy := 0
	for i := range clients {
		w := dialNode(t, s)
		w.send(helloFrame(fmt.Sprint("client-", i)))
		go func() {
			if f, err := w.next(); err == nil && f.Type == codec.GoAway {
				if m, _ := codec.ParseGoAway(f.Payload); m.Code == codec.CodeBusy {
					mu.Lock()
					busy++
					mu.Unlock()
				}
			}
		}()
	}
	told := func() int {
		mu.Lock()
		defer mu.Unlock()
		return busy
	}
	const share = minPending / 2
	eventually(t, "half of the share is being checked, and the others are told that the node is busy", func() bool {
		return s.node.Conns.Pending() == share && told() == clients-share
	})
	for range minPending { // the silent ones have the other half
		dialNode(t, s)
	}
	eventually(t, "the silent ones beyond it are sent away, and only they", func() bool {
		st := s.Stats()
		return st.Closes[ReasonPending] == minPending-share && st.Pending == minPending && told() == clients-share
	})
}

// failingAuth has lost its database, or its mind.
type failingAuth struct{ panics bool }

func (a failingAuth) Authenticate(context.Context, AuthRequest) (AuthGrant, error) {
	if a.panics {
		panic("no database")
	}
	return AuthGrant{}, errors.New("no database")
}

func TestAFailingAuthenticatorDoesNotFloodTheLog(t *testing.T) {
	for _, tt := range []struct {
		panics bool
		line   string
		code   codec.Code
	}{{false, "authenticator failed", codec.CodeBusy}, {true, "authenticator panicked", codec.CodeInternal}} {
		var log lines
		s := startNode(t, Config{Auth: failingAuth{tt.panics}, Logger: slog.New(slog.NewTextHandler(&log, nil))})
		const clients = 50
		for range clients {
			w := dialNode(t, s)
			w.send(helloFrame("x"))
			w.wantGoAway(tt.code)
		}
		if n := bytes.Count([]byte(log.String()), []byte(tt.line)); n != 1 {
			t.Errorf("%d lines say %q after %d failures within a minute, want one", n, tt.line, clients)
		}
	}
	var s seldom
	at := time.Now()
	for i, after := range []time.Duration{0, 1, time.Minute - 1, time.Minute, time.Minute + 1} {
		if n, log := s.note(at.Add(after)); n != uint64(i+1) || log != (after%time.Minute == 0) {
			t.Errorf("event %d after %v: counted as %d, logged %v", i+1, after, n, log)
		}
	}
}

// A back end that is mended halfway fails in another way, which its operator wants to read at once.
func TestACauseThatChangesIsLogged(t *testing.T) {
	var s seldom
	at := time.Now()
	for i, c := range []struct {
		after time.Duration
		cause string
		log   bool
	}{{0, "a", true}, {1, "a", false}, {2, "b", true}, {3, "a", false}, {4, "b", false}, {time.Minute, "b", true}, {time.Minute + 1, "b", false}, {time.Minute + 2, "a", true}} {
		if _, log := s.noteCause(at.Add(c.after), c.cause); log != c.log {
			t.Errorf("event %d, %s after %v: logged %v", i+1, c.cause, c.after, log)
		}
	}
	lines := 0
	for i := range 100 {
		if _, log := s.noteCause(at.Add(3*time.Minute), fmt.Sprint(i)); log {
			lines++
		}
	}
	if lines != maxCauses {
		t.Errorf("%d lines about 100 causes, want %d", lines, maxCauses)
	}
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
