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

// moved is a client of a node that has it move, and what is known of their messages.
type moved struct {
	t    *testing.T
	srv  *server.Server
	book *ledger
	c    *client.Client
	ctx  context.Context // until the client is to end

	ended        chan error
	got, offline atomic.Int64 // of the client: messages, and times that it was not ready any more

	sent    uint32
	senders sync.WaitGroup
	acked   atomic.Int64
	told    int // by the node
	lost    atomic.Int64
}

// at is an address of the node: its port at one of the addresses of loopback.
func (m *moved) at(i int) string {
	_, port, _ := net.SplitHostPort(m.srv.Addr())
	return fmt.Sprintf("127.0.0.%d:%s", i+1, port)
}

// startMoved starts the node and the client, which end with the test.
func startMoved(t *testing.T, policy server.Duplicates) *moved {
	t.Helper()
	m := &moved{t: t, book: &ledger{handled: make(map[uint32]int)}, ended: make(chan error, 1)}
	var err error
	m.srv, err = server.New(server.Config{Listen: "0.0.0.0:0", Loops: 3, IDRate: -1, Index: true, Duplicates: policy, Handler: m.book.handler()})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.srv.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		_ = m.srv.Stop(ctx)
	})
	var stop context.CancelFunc
	m.ctx, stop = context.WithCancel(t.Context())
	wasReady := false
	m.c, err = client.New(client.Config{Endpoints: []string{m.at(0)}, ID: "alice",
		Deliver: func(client.Message) { m.got.Add(1) },
		StateChange: func(info client.Info) {
			if wasReady && info.State != client.Ready && m.ctx.Err() == nil {
				m.offline.Add(1)
			}
			wasReady = wasReady || info.State == client.Ready
		}})
	if err != nil {
		t.Fatal(err)
	}
	var ran sync.WaitGroup
	ran.Go(func() { m.ended <- m.c.Run(m.ctx) })
	t.Cleanup(func() {
		stop()
		ran.Wait()
	})
	return m
}

// talk sends a message from either side.
func (m *moved) talk() {
	body := binary.BigEndian.AppendUint32(nil, m.sent)
	m.sent++
	m.senders.Go(func() {
		if err := m.c.SendAcked(m.ctx, body); err == nil {
			m.acked.Add(1)
		}
	})
	for _, ref := range m.srv.Lookup("alice") {
		if m.srv.DeliverFunc(ref, nil, func(o server.Outcome) {
			if o.Result != server.Acknowledged {
				m.lost.Add(1)
			}
		}) == nil {
			m.told++
		}
	}
}

// until waits, and does something meanwhile.
func (m *moved) until(what string, there func() bool, meanwhile func()) {
	m.t.Helper()
	for end := time.Now().Add(patience); !there(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			st := m.srv.Stats()
			m.t.Fatalf("%s does not come about: %+v; %d messages came of %d, %d are known to be lost; %d sessions, %d moved",
				what, m.c.Info(), m.got.Load(), m.told, m.lost.Load(), st.Sessions, st.Moved)
		}
		meanwhile()
	}
}

// A client that is moved on its own node, again and again, is the same client under every policy: no
// message of either direction is lost, nobody is displaced, and it never is offline.
func TestAClientMovesOnItsNodeUnderEveryPolicy(t *testing.T) {
	for _, policy := range []server.Duplicates{server.StandBeside, server.Replace, server.Refuse} {
		t.Run(policy.String(), func(t *testing.T) {
			t.Parallel()
			m := startMoved(t, policy)
			for i := range 5 {
				m.until(fmt.Sprint("move ", i), func() bool { // a client may know of its session before the node lists it alone
					refs := m.srv.Lookup("alice")
					return m.c.Info().Sessions == uint32(i)+1 && len(refs) == 1 && refs[0].SessionID().String() == m.c.Info().Session
				}, m.talk)
				if i < 4 {
					if err := m.srv.Move(m.srv.Lookup("alice")[0], []string{m.at(i + 1)}); err != nil {
						t.Fatal(err)
					}
				}
			}
			m.senders.Wait()
			silence := func() {}
			m.until("the last message", func() bool { return m.got.Load() >= int64(m.told)-m.lost.Load() }, silence)
			m.until("the last session alone", func() bool { st := m.srv.Stats(); return st.Sessions == 1 && st.Moved == 4 }, silence)
			m.wantWhole()
		})
	}
}

// wantWhole fails if anything was lost in four moves.
func (m *moved) wantWhole() {
	t := m.t
	t.Helper()
	st := m.srv.Stats()
	if m.offline.Load() != 0 || m.lost.Load() != 0 || m.acked.Load() != int64(m.sent) || st.Moved != 4 || st.Closes[server.ReasonReplaced] != 0 {
		t.Errorf("%d times offline, %d messages lost, %d of %d acknowledged, %d moved, closes %v", m.offline.Load(), m.lost.Load(), m.acked.Load(), m.sent, st.Moved, st.Closes)
	}
	m.book.mu.Lock()
	defer m.book.mu.Unlock()
	for n := range m.sent {
		if m.book.handled[n] == 0 {
			t.Errorf("message %d was never handled", n)
		}
	}
	if m.book.opened != 5 {
		t.Errorf("%d sessions, want 5", m.book.opened)
	}
	select {
	case err := <-m.ended:
		t.Errorf("the client has ended: %v", err)
	default:
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
