package server

import (
	"context"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

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
	case <-time.After(10 * time.Second):
		t.Fatal("the authenticator was not asked")
	}
}
