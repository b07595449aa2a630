package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/client"
	"github.com/stormwheel/stormwheel/server"
)

// ledger is what a node's handler was given, by the number in the body.
type ledger struct {
	mu      sync.Mutex
	handled map[uint32]int
	opened  int
}

func (l *ledger) handler() server.Handler {
	return server.Handler{
		Opened: func(*server.Session) {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.opened++
		},
		Message: func(s *server.Session, m server.Message) {
			l.mu.Lock()
			l.handled[binary.BigEndian.Uint32(m.Body)]++
			l.mu.Unlock()
			_ = s.Ack(m.Number)
		},
	}
}

// A client that is moved on its own node, again and again, is the same client under every policy: no
// message of either direction is lost, nobody is displaced, and it never is offline.
func TestAClientMovesOnItsNodeUnderEveryPolicy(t *testing.T) {
	for _, policy := range []server.Duplicates{server.StandBeside, server.Replace, server.Refuse} {
		t.Run(policy.String(), func(t *testing.T) {
			t.Parallel()
			book := &ledger{handled: make(map[uint32]int)}
			srv, err := server.New(server.Config{Listen: "0.0.0.0:0", Loops: 3, IDRate: -1, Index: true, Duplicates: policy, Handler: book.handler()})
			if err != nil {
				t.Fatal(err)
			}
			if err := srv.Start(); err != nil {
				t.Fatal(err)
			}
			defer func() {
				ctx, cancel := context.WithCancel(context.Background())
				cancel()
				_ = srv.Stop(ctx)
			}()
			_, port, _ := net.SplitHostPort(srv.Addr())
			at := func(i int) string { return fmt.Sprintf("127.0.0.%d:%s", i+1, port) }

			ctx, stop := context.WithCancel(t.Context())
			var got, offline atomic.Int64
			wasReady := false
			c, err := client.New(client.Config{Endpoints: []string{at(0)}, ID: "alice",
				Deliver: func(client.Message) { got.Add(1) },
				StateChange: func(info client.Info) {
					if wasReady && info.State != client.Ready && ctx.Err() == nil {
						offline.Add(1)
					}
					wasReady = wasReady || info.State == client.Ready
				}})
			if err != nil {
				t.Fatal(err)
			}
			var ran sync.WaitGroup
			defer ran.Wait()
			defer stop()
			ended := make(chan error, 1)
			ran.Go(func() { ended <- c.Run(ctx) })
			sent := uint32(0)
			var acked atomic.Int64
			var senders sync.WaitGroup
			send := func() {
				body := binary.BigEndian.AppendUint32(nil, sent)
				sent++
				senders.Go(func() {
					if err := c.SendAcked(ctx, body); err == nil {
						acked.Add(1)
					}
				})
			}
			told, lost := 0, atomic.Int64{}
			for i := range 5 {
				here := func() bool { // a client may know of its session before the node lists it alone
					refs := srv.Lookup("alice")
					return c.Info().Sessions == uint32(i)+1 && len(refs) == 1 && refs[0].SessionID().String() == c.Info().Session
				}
				for end := time.Now().Add(patience); !here(); time.Sleep(time.Millisecond) {
					if time.Now().After(end) {
						t.Fatalf("move %d does not come about: %+v", i, c.Info())
					}
					send()
					for _, ref := range srv.Lookup("alice") {
						if srv.DeliverFunc(ref, nil, func(o server.Outcome) {
							if o.Result != server.Acknowledged {
								lost.Add(1)
							}
						}) == nil {
							told++
						}
					}
				}
				if i < 4 {
					if err := srv.Move(srv.Lookup("alice")[0], []string{at(i + 1)}); err != nil {
						t.Fatal(err)
					}
				}
			}
			senders.Wait()
			for end := time.Now().Add(patience); got.Load() < int64(told)-lost.Load(); time.Sleep(time.Millisecond) {
				if time.Now().After(end) {
					t.Fatalf("%d messages came of %d, %d are known to be lost", got.Load(), told, lost.Load())
				}
			}
			for end := time.Now().Add(patience); srv.Stats().Sessions != 1 || srv.Stats().Moved != 4; time.Sleep(time.Millisecond) {
				if time.Now().After(end) {
					t.Fatalf("%d sessions are left, %d moved", srv.Stats().Sessions, srv.Stats().Moved)
				}
			}
			st := srv.Stats()
			if offline.Load() != 0 || lost.Load() != 0 || acked.Load() != int64(sent) || st.Moved != 4 || st.Closes[server.ReasonReplaced] != 0 {
				t.Errorf("%d times offline, %d messages lost, %d of %d acknowledged, %d moved, closes %v", offline.Load(), lost.Load(), acked.Load(), sent, st.Moved, st.Closes)
			}
			book.mu.Lock()
			defer book.mu.Unlock()
			for n := range sent {
				if book.handled[n] == 0 {
					t.Errorf("message %d was never handled", n)
				}
			}
			if book.opened != 5 {
				t.Errorf("%d sessions, want 5", book.opened)
			}
			select {
			case err := <-ended:
				t.Errorf("the client has ended: %v", err)
			default:
			}
		})
	}
}

// A client that is to move to a node which does not want it stays where it is, and is served.
func TestAMoveToANodeThatRefusesLosesNothing(t *testing.T) {
	book := &ledger{handled: make(map[uint32]int)}
	start := func(cfg server.Config) *server.Server {
		cfg.Listen, cfg.IDRate = "127.0.0.1:0", -1
		srv, err := server.New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		if err := srv.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			ctx, cancel := context.WithCancel(context.Background())
			cancel()
			_ = srv.Stop(ctx)
		})
		return srv
	}
	a := start(server.Config{Duplicates: server.Replace, Handler: book.handler()})
	b := start(server.Config{Auth: refusing{}})
	ctx, stop := context.WithCancel(t.Context())
	c, err := client.New(client.Config{Endpoints: []string{a.Addr()}, ID: "alice", Deliver: func(client.Message) {}})
	if err != nil {
		t.Fatal(err)
	}
	var ran sync.WaitGroup
	defer ran.Wait()
	defer stop()
	ran.Go(func() { _ = c.Run(ctx) })
	send := func(n uint32) {
		if err := c.SendAcked(ctx, binary.BigEndian.AppendUint32(nil, n)); err != nil {
			t.Fatal(err)
		}
	}
	send(0)
	if err := a.Move(a.Lookup("alice")[0], []string{b.Addr()}); err != nil {
		t.Fatal(err)
	}
	n := uint32(1)
	for end := time.Now().Add(patience); b.Stats().Closes[server.ReasonUnauthorized] == 0; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it has not tried the other node")
		}
		send(n)
		n++
	}
	for range 100 {
		send(n)
		n++
	}
	if info := c.Info(); info.State != client.Ready || info.Losses != 0 || info.Node != a.Node() {
		t.Errorf("%+v", info)
	}
	if st := a.Stats(); st.Closes[server.ReasonReplaced] != 0 || len(a.Lookup("alice")) != 1 {
		t.Errorf("closes %v, listed %v", st.Closes, a.Lookup("alice"))
	}
}

// refusing lets nobody in.
type refusing struct{}

func (refusing) Authenticate(context.Context, server.AuthRequest) (server.AuthGrant, error) {
	return server.AuthGrant{}, server.ErrUnauthorized
}
