package main

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/client"
	"github.com/stormwheel/stormwheel/server"
)

// admitting is an authenticator that lets everybody in for a while, once for each token.
type admitting struct {
	grant    time.Duration
	renewals atomic.Int64
}

func (a *admitting) Authenticate(_ context.Context, r server.AuthRequest) (server.AuthGrant, error) {
	if r.Renewal {
		a.renewals.Add(1)
	}
	return server.AuthGrant{Expires: time.Now().Add(a.grant)}, nil
}

// A client and a node: the end of the grant, which the node has moved near, costs no reconnect.
func TestAClientRenewsItsGrantAtANode(t *testing.T) {
	t.Parallel() // it waits most of the time
	auth := &admitting{grant: time.Hour}
	opened := make(chan server.Ref, 10)
	n, err := server.New(server.Config{Listen: "127.0.0.1:0", Loops: 1, Auth: auth,
		Handler: server.Handler{Opened: func(s *server.Session) { opened <- s.Ref() }}})
	if err != nil {
		t.Fatal(err)
	}
	if err := n.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_ = n.Stop(ctx)
	}()
	var asked atomic.Int64
	c, err := client.New(client.Config{Endpoints: []string{n.Addr()}, ID: "alice", TokenSource: func(context.Context) ([]byte, error) {
		return fmt.Append(nil, asked.Add(1)), nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	ran := make(chan error, 1)
	go func() { ran <- c.Run(t.Context()) }()
	ref := <-opened
	near := time.Now().Add(12 * time.Second) // it asks more than a second before
	if err := n.Extend(ref, near); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(30 * time.Second); n.Stats().Renewed == 0 && time.Now().Before(end); {
		time.Sleep(10 * time.Millisecond)
	}
	for end := near.Add(time.Second); time.Now().Before(end); {
		time.Sleep(10 * time.Millisecond)
	}
	info, st := c.Info(), n.Stats()
	if info.State != client.Ready || info.Sessions != 1 || st.Hellos != 1 || st.Renewed != 1 || auth.renewals.Load() != 1 || asked.Load() != 2 {
		t.Errorf("%v in session %d; %d HELLOs, %d renewed, %d asked for; want one session and one renewal",
			info.State, info.Sessions, st.Hellos, st.Renewed, asked.Load())
	}
	if left := time.Until(info.Expires); left < 50*time.Minute || left > time.Hour {
		t.Errorf("the client hears that its grant ends in %v", left)
	}
	_ = c.Close()
	if err := <-ran; err != nil {
		t.Error(err)
	}
}
