package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

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
