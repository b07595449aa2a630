package messaging_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/client"
	"github.com/stormwheel/stormwheel/codec"
	process "github.com/stormwheel/stormwheel/internal/child"
	"github.com/stormwheel/stormwheel/messaging"
	"github.com/stormwheel/stormwheel/messaging/envelope"
	"github.com/stormwheel/stormwheel/messaging/talk"
	"github.com/stormwheel/stormwheel/server"
)

// liveNode is a node of this process, with sockets.
func liveNode(t *testing.T, cfg messaging.Config, duplicates server.Duplicates) (*messaging.Hub, string) {
	t.Helper()
	hub, err := messaging.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	srv, err := server.New(server.Config{Listen: "127.0.0.1:0", Handler: hub.Handler(), Duplicates: duplicates, Loops: 4, IDRate: -1, AdmitRate: 1e6, MaxWindow: time.Second})
	if err == nil {
		err = hub.Start(srv)
	}
	if err == nil {
		err = srv.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = srv.Stop(ctx)
		_ = hub.Close(ctx)
	})
	return hub, srv.Addr()
}

// cutter makes connections, the first of which ends at the first ACK that it writes, or reads.
type cutter struct {
	net.Conn
	cuts   *atomic.Int32 // how often: once
	reads  bool
	passes bool // what was written goes out
	in     []byte
}

func cutting(cuts *atomic.Int32, reads, passes bool) func(ctx context.Context, network, addr string) (net.Conn, error) {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, addr)
		return &cutter{Conn: conn, cuts: cuts, reads: reads, passes: passes}, err
	}
}

// cut tells whether the connection is to end at these bytes.
func (c *cutter) cut(b []byte) bool {
	c.in = append(c.in, b...)
	for {
		f, size, err := codec.Decode(c.in, codec.MaxPayload)
		if err != nil {
			return false
		}
		c.in = c.in[size:]
		if f.Type == codec.Ack {
			return c.cuts.CompareAndSwap(0, 1)
		}
	}
}

func (c *cutter) Write(b []byte) (int, error) {
	if c.reads || !c.cut(b) {
		return c.Conn.Write(b)
	}
	if c.passes {
		_, _ = c.Conn.Write(b)
	}
	_ = c.Conn.Close()
	return len(b), nil
}

func (c *cutter) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if c.reads && n > 0 && c.cut(b[:n]) {
		_ = c.Conn.Close()
		return 0, net.ErrClosed
	}
	return n, err
}

// An ACK is lost, a device's or the node's: the message is had once, and told to be delivered once.
func TestLostAcknowledgement(t *testing.T) {
	for _, tt := range []struct {
		name          string
		bobs          bool // the ACK of the device that gets the message
		reads, passes bool
	}{
		{"the device's, cut behind it", true, false, true},
		{"the device's, cut before it", true, false, false},
		{"the node's", false, true, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, addr := liveNode(t, messaging.Config{Store: messaging.NewMemory(messaging.Bounds{})}, server.StandBeside)
			ctx, cancel := context.WithCancel(t.Context())
			var wg sync.WaitGroup
			defer wg.Wait()
			defer cancel()
			var cuts atomic.Int32
			dial := cutting(&cuts, tt.reads, tt.passes)
			alices, bobs := client.Config{}, client.Config{}
			if tt.bobs {
				bobs.Dial = dial
			} else {
				alices.Dial = dial
			}
			alice, bob := newMemberBy(t, ctx, &wg, addr, "alice", alices), newMemberBy(t, ctx, &wg, addr, "bob", bobs)
			for _, m := range []*member{alice, bob} {
				eventually(t, "session", time.Minute, func() bool { return m.Client().Info().State == client.Ready })
			}
			n, err := alice.Send(ctx, "bob", []byte("hi"), talk.Options{})
			if err != nil {
				t.Fatal(err)
			}
			eventually(t, "outcome", time.Minute, alice.has(func() bool { return alice.states[n] != 0 }))
			last, err := alice.SendAcked(ctx, "bob", []byte("last"), talk.Options{}) // and what comes before that has come
			if err != nil || last.State != talk.Delivered && last.State != talk.Held {
				t.Fatalf("got %+v, %v", last, err)
			}
			eventually(t, "the last message", time.Minute, bob.has(func() bool { return bob.got["last"] == 1 }))
			bob.mu.Lock()
			if bob.got["hi"] != 1 {
				t.Errorf("bob had it %d times", bob.got["hi"])
			}
			bob.mu.Unlock()
			eventually(t, "delivered", time.Minute, alice.has(func() bool {
				return alice.states[n] == talk.Delivered || alice.states[n] == talk.Held && alice.later[n] == envelope.Delivered
			}))
			if cuts.Load() != 1 {
				t.Error("no connection was cut")
			}
		})
	}
}

// clientOrders has the test binary be a client that never acknowledges: address and id.
const clientOrders = "STORMWHEEL_TEST_CLIENT"

func TestAsAClient(t *testing.T) {
	addr, id, ok := strings.Cut(os.Getenv(clientOrders), " ")
	if !ok {
		t.Skip("it is what another test starts")
	}
	c, err := client.New(client.Config{Endpoints: []string{addr}, ID: id, Deliver: func(m client.Message) {
		m.AckLater()
		e, _ := envelope.Parse(m.Body)
		fmt.Println(string(e.Content))
	}})
	if err != nil {
		t.Fatal(err)
	}
	_ = c.Run(t.Context())
}

func TestClientKilledBetweenDeliverAndAck(t *testing.T) {
	_, addr := liveNode(t, messaging.Config{Store: messaging.NewMemory(messaging.Bounds{})}, server.StandBeside)
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	alice := newMember(t, ctx, &wg, addr, "alice")
	first, err := alice.SendAcked(ctx, "bob", []byte("stored"), talk.Options{})
	if err != nil || first.State != talk.Held {
		t.Fatalf("got %+v, %v", first, err)
	}
	bob := process.Program{Argv: []string{"env", clientOrders + "=" + addr + " bob/phone", os.Args[0], "-test.run=^TestAsAClient$", "-test.timeout=2m"}}.Command()
	t.Cleanup(bob.Close)
	if said, err := bob.Start(ctx, time.Minute); err != nil || said != "stored" {
		t.Fatalf("bob had %q, %v", said, err)
	}
	n, err := alice.Send(ctx, "bob", []byte("while it is there"), talk.Options{})
	if err != nil {
		t.Fatal(err)
	}
	bob.Kill()
	bob.Reap()
	eventually(t, "outcome", time.Minute, alice.has(func() bool { return alice.states[n] == talk.Held }))
	again := newMember(t, ctx, &wg, addr, "bob/phone")
	eventually(t, "both messages", time.Minute, again.has(func() bool { return again.got["stored"] == 1 && again.got["while it is there"] == 1 }))
	eventually(t, "both second ticks", time.Minute, alice.has(func() bool { return len(alice.later) == 2 && alice.later[n] == envelope.Delivered }))
}

// Logins race, of one device or of too many, and nothing of the losers is left.
func TestLoginsRace(t *testing.T) {
	for name, tt := range map[string]struct {
		duplicates server.Duplicates
		devices    int // of bob's that are left
	}{"of one device": {server.Replace, 1}, "of too many": {server.StandBeside, 3}} {
		t.Run(name, func(t *testing.T) { raceLogins(t, tt.duplicates, tt.devices) })
	}
}

func raceLogins(t *testing.T, duplicates server.Duplicates, devices int) {
	hub, addr := liveNode(t, messaging.Config{Store: messaging.NewMemory(messaging.Bounds{}), JoinRate: -1, MaxDevices: 3}, duplicates)
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	alice := newMember(t, ctx, &wg, addr, "alice")
	const logins, messages = 40, 200
	var all []*member
	var sending sync.WaitGroup
	sending.Go(func() {
		for i := range messages {
			if _, err := alice.Send(ctx, "bob", fmt.Append(nil, i), talk.Options{}); err != nil {
				t.Error(err)
			}
		}
	})
	for range logins {
		m := newMember(t, ctx, &wg, addr, "bob/phone")
		m.Join("tea")
		all = append(all, m)
	}
	sending.Wait()
	eventually(t, "the others have ended", time.Minute, func() bool {
		st := hub.Stats()
		return st.Devices == int64(devices)+1 && st.Users == 2 && st.Members == int64(devices) && st.Queued == 0
	})
	eventually(t, "all is settled", time.Minute, alice.has(func() bool { return len(alice.states) == messages }))
	eventually(t, "each message was had", time.Minute, func() bool {
		had := make(map[string]bool)
		for _, m := range all {
			m.mu.Lock()
			for text := range m.got {
				had[text] = true
			}
			m.mu.Unlock()
		}
		return len(had) == messages
	})
	for _, m := range all {
		_ = m.Close()
	}
	eventually(t, "nothing is left of bob", time.Minute, func() bool {
		st := hub.Stats()
		return st.Devices == 1 && st.Users == 1 && st.Members == 0
	})
}

func TestNothingOfACutIsLeftInItsBuffer(t *testing.T) {
	var cuts atomic.Int32
	c := &cutter{cuts: &cuts}
	ping, ack := codec.AppendPing(nil, 1, 0), codec.AppendAck(nil, codec.AckOf(1))
	if both := bytes.Join([][]byte{ping, ack}, nil); c.cut(both[:5]) || !c.cut(both[5:]) || c.cut(ack) {
		t.Error("the tests' own connection does not see an ACK, or sees it twice")
	}
}
