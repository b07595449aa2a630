package server

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

func TestTokensAdmitTheirIDUntilTheyExpire(t *testing.T) {
	secret := []byte(strings.Repeat("k", MinSecret))
	auth, err := NewHMACAuth(secret)
	if err != nil {
		t.Fatal(err)
	}
	expires := time.Unix(1_800_000_000, 0)
	now := expires.Add(-time.Minute)
	auth.(*hmacAuth).now = func() time.Time { return now }
	token, err := MintToken(secret, "alice", expires)
	if err != nil {
		t.Fatal(err)
	}
	other, _ := MintToken([]byte(strings.Repeat("x", MinSecret)), "alice", expires)
	// The same expiry with another time in it, MAC kept: must not be believed.
	altered := "B" + token[1:]
	for _, tt := range []struct {
		name, id, token string
		want            error
	}{
		{"good", "alice", token, nil},
		{"another id", "bob", token, ErrUnauthorized},
		{"another secret", "alice", other, ErrUnauthorized},
		{"altered expiry", "alice", altered, ErrUnauthorized},
		{"empty", "alice", "", ErrUnauthorized},
		{"4 KiB of junk", "alice", strings.Repeat("A", 4096), ErrUnauthorized},
		{"not base64", "alice", strings.Repeat("!", len(token)), ErrUnauthorized},
	} {
		grant, err := auth.Authenticate(context.Background(), AuthRequest{ClientID: tt.id, Token: []byte(tt.token)})
		if !errors.Is(err, tt.want) || err == nil && !grant.Expires.Equal(expires) {
			t.Errorf("%s: %v, %v; want %v", tt.name, grant, err, tt.want)
		}
	}
	now = expires
	if _, err := auth.Authenticate(context.Background(), AuthRequest{ClientID: "alice", Token: []byte(token)}); !errors.Is(err, ErrTokenExpired) {
		t.Errorf("at its expiry: %v, want ErrTokenExpired", err)
	}
	if _, err := NewHMACAuth(secret[:31]); !errors.Is(err, ErrSecret) {
		t.Errorf("a short secret: %v", err)
	}
}

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
