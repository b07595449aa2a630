package server

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

func renewalFrame(t *testing.T, number uint64, token string) []byte {
	t.Helper()
	b, err := codec.AppendRenewal(nil, number, 1, []byte(token))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// wantPong takes the next PONG.
func (w *wire) wantPong(token uint64) codec.PongMessage {
	w.t.Helper()
	m, err := codec.ParsePong(w.want(codec.Pong).Payload)
	if err != nil || m.Token != token {
		w.t.Fatalf("PONG %+v, %v; want that of %d", m, err, token)
	}
	return m
}

// While a renewal is checked, for however long, its session and the others of its loop go on, and a
// flood of tokens is checked no more often.
func TestARenewalIsCheckedOffTheLoop(t *testing.T) {
	asked, answer := make(chan AuthRequest, 100), make(chan error)
	s := startNode(t, Config{Loops: 1, Tick: 10 * time.Millisecond, Auth: authFunc(func(ctx context.Context, r AuthRequest) (AuthGrant, error) {
		grant := AuthGrant{Expires: time.Now().Add(time.Hour)}
		if !r.Renewal {
			return grant, nil
		}
		asked <- r
		select {
		case err := <-answer:
			grant.Expires = grant.Expires.Add(time.Hour)
			return grant, err
		case <-ctx.Done():
			return AuthGrant{}, ctx.Err()
		}
	})})
	alice, w := joinNode(t, s, "alice")
	if w.Expires <= 59*time.Minute || w.Expires > time.Hour {
		t.Errorf("WELCOME tells an end in %v", w.Expires)
	}
	bob, _ := joinNode(t, s, "bob")
	alice.send(renewalFrame(t, 1, "second"))
	if m := alice.wantPong(1); m.Expires != 0 {
		t.Errorf("told an end in %v before it was checked", m.Expires)
	}
	if r := <-asked; r.ClientID != "alice" || string(r.Token) != "second" || !r.Addr.IsLoopback() {
		t.Errorf("asked about %+v", r)
	}
	for i := range uint64(50) {
		alice.send(renewalFrame(t, i+2, fmt.Sprint("flood ", i)))
		alice.wantPong(i + 2)
	}
	bob.send(codec.AppendPing(nil, 1, 0))
	bob.wantPong(1)
	answer <- nil
	if m := alice.wantPong(0); m.Expires <= 119*time.Minute || m.Expires > 2*time.Hour {
		t.Errorf("told an end in %v, want 2h", m.Expires)
	}
	if len(asked) != 0 {
		t.Errorf("%d more of them were checked", len(asked))
	}
	eventually(t, "it is counted", func() bool { st := s.Stats(); return st.Renewed == 1 && st.NotRenewed == 0 })
}

// Those who are not in yet have half of the authenticator's queue to themselves.
func TestRenewalsLeaveRoomForThoseWhoAreNotInYet(t *testing.T) {
	hold := make(chan struct{})
	s := startNode(t, Config{Loops: 1, AuthWorkers: 1, AuthQueue: 4, AuthTimeout: time.Minute, Auth: authFunc(func(ctx context.Context, r AuthRequest) (AuthGrant, error) {
		if r.Renewal || r.ClientID == "late" {
			select {
			case <-hold:
			case <-ctx.Done():
			}
		}
		return AuthGrant{Expires: time.Now().Add(time.Hour)}, nil
	})})
	var in []*wire
	for i := range 10 {
		w, _ := joinNode(t, s, fmt.Sprint("client-", i))
		in = append(in, w)
	}
	for _, w := range in {
		w.send(renewalFrame(t, 1, "second"))
		w.wantPong(1)
	}
	eventually(t, "renewals have the worker and half of the queue, and one place", func() bool {
		st := s.Stats()
		return st.AuthWaiting <= 3 && st.NotRenewed >= 6
	})
	late := dialNode(t, s)
	late.send(helloFrame("late"))
	eventually(t, "the newcomer waits, too", func() bool { return s.Stats().Pending == 1 && len(s.auth.jobs) >= 3 })
	close(hold)
	late.want(codec.Welcome)
}
