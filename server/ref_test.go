package server

import (
	"context"
	"encoding/json"
	"errors"
	"net/netip"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

func TestARefIsReadAsItWasWritten(t *testing.T) {
	for _, r := range []Ref{
		{}, {"a", 1, 2}, {"", 1, 2}, {"10.0.0.1:7000", 1<<64 - 1, 1 << 63}, {"with/slashes/and ü", 7, 8},
	} {
		got, err := ParseRef(r.String())
		if err != nil || got != r {
			t.Errorf("%q: %+v, %v; want %+v", r.String(), got, err, r)
		}
		b, err := json.Marshal(map[Ref]Ref{r: r})
		if err != nil {
			t.Fatal(err)
		}
		var m map[Ref]Ref
		if err := json.Unmarshal(b, &m); err != nil || m[r] != r {
			t.Errorf("%s: %v, %v", b, m, err)
		}
	}
	for _, s := range []string{
		"a", "/", "a/", "a/1-2", "a/00000000000000010000000000000002", "a/0000000000000001-000000000000000g",
		"a/0000000000000001-00000000000000020", "a/000000000000000A-0000000000000002", "a/0000000000000001_0000000000000002", " ",
		"a/0000000000000001-0000000000000002 ",
	} {
		if r, err := ParseRef(s); !errors.Is(err, ErrRef) {
			t.Errorf("%q: %+v, %v; want ErrRef", s, r, err)
		}
	}
}

// What a session tells of itself: within its callbacks everything, outside what needs no loop.
func TestASessionTellsAboutItself(t *testing.T) {
	opened, closed := make(chan *Session, 1), make(chan any, 1)
	before := time.Now()
	s := startNode(t, Config{Loops: 1, Auth: authFunc(func(context.Context, AuthRequest) (AuthGrant, error) { return AuthGrant{User: "alice", Data: 7}, nil }), Handler: Handler{
		Opened: func(s *Session) {
			if s.ID() != "phone" || s.User() != "alice" || s.Data() != 7 || s.Attempt() != 3 || s.Incarnation() != 9 || s.Loop() != 0 ||
				s.Addr() != netip.MustParseAddr("127.0.0.1") || s.Transport() != "tcp" || s.Draining() || s.Queued() == 0 {
				t.Errorf("%q %q %v %d %d %d %v %v %v %d", s.ID(), s.User(), s.Data(), s.Attempt(), s.Incarnation(), s.Loop(), s.Addr(), s.Transport(), s.Draining(), s.Queued())
			}
			if now := time.Now(); s.Since().Before(before.Round(0).Add(-time.Second)) || s.Since().After(now) || s.LastRead().After(now) {
				t.Errorf("since %v, last read %v, and it is %v", s.Since(), s.LastRead(), now)
			}
			if err := s.SetData("mine"); err != nil {
				t.Error(err)
			}
			opened <- s
		},
		Closed: func(s *Session, _ Reason) { closed <- s.Data() },
	}})
	w := dialNode(t, s)
	hello, err := codec.AppendHello(nil, &codec.HelloMessage{MinVersion: 1, MaxVersion: 1, ClientID: []byte("phone"), Incarnation: 9, Attempt: 3})
	if err != nil {
		t.Fatal(err)
	}
	w.send(hello)
	m, err := codec.ParseWelcome(w.want(codec.Welcome).Payload)
	if err != nil {
		t.Fatal(err)
	}
	kept := <-opened
	eventually(t, "the callback has returned", func() bool { return errors.Is(kept.SetData(nil), ErrOutside) })
	if kept.ID() != "" || kept.User() != "" || kept.Data() != nil || kept.Addr().IsValid() || !kept.Since().IsZero() || kept.Queued() != 0 {
		t.Error("a session tells of itself outside its callbacks")
	}
	if kept.Ref() != s.Ref(m.Session) || kept.Ref().Node() != s.Node() || kept.Ref().SessionID() != m.Session || kept.Attempt() != 3 {
		t.Errorf("%v, want %v of node %q", kept.Ref(), m.Session, s.Node())
	}
	w.send(codec.AppendBye(nil))
	if data := <-closed; data != "mine" {
		t.Errorf("Data = %v in Closed, want what was set", data)
	}
	eventually(t, "the session has ended", func() bool { return errors.Is(kept.SetData(nil), ErrClosed) })
}

// Without an authenticator the user is the first part of the id.
func TestTheUserOfADevice(t *testing.T) {
	for id, want := range map[string]string{"alice": "alice", "alice/phone": "alice", "/x": "/x"} {
		users := make(chan string, 1)
		s := startNode(t, Config{Handler: Handler{Opened: func(s *Session) { users <- s.User() }}})
		joinNode(t, s, id)
		if got := <-users; got != want {
			t.Errorf("%q: user %q, want %q", id, got, want)
		}
	}
}
