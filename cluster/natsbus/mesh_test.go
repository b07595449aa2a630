//go:build !nonats

package natsbus

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/stormwheel/stormwheel/cluster"
	"github.com/stormwheel/stormwheel/cluster/bustest"
	"github.com/stormwheel/stormwheel/internal/freeport"
)

// patience is how long a test waits for what must come.
const patience = time.Minute

func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", patience, what)
		}
	}
}

// receive waits for what must come by a channel.
func receive[T any](t *testing.T, from <-chan T) (got T) {
	t.Helper()
	select {
	case got = <-from:
	case <-time.After(patience):
		t.Fatalf("nothing came within %v", patience)
	}
	return got
}

func secret(letter string) []byte { return bytes.Repeat([]byte(letter), 40) }

// freePorts are addresses on loopback at which nobody listens.
func freePorts(t *testing.T, n int) []string {
	t.Helper()
	addrs, err := freeport.Loopback(n)
	if err != nil {
		t.Fatal(err)
	}
	return addrs
}

func TestAStrangerIsNotLetIn(t *testing.T) {
	t.Parallel()
	own := Config{Node: "a", Listen: "127.0.0.1:0", Secrets: [][]byte{secret("a")}}
	a := open(t, own)
	for name, cfg := range map[string]Config{
		"another secret":  {Secrets: [][]byte{secret("b")}},
		"no secret":       {},
		"another cluster": {Secrets: own.Secrets, Name: "other"},
	} {
		cfg.Node, cfg.Listen, cfg.Peers = "s", "127.0.0.1:0", []string{a.RouteAddr()}
		s := open(t, cfg)
		// Long enough for a try: the same cluster meets within it.
		b := open(t, Config{Node: "b", Listen: "127.0.0.1:0", Secrets: own.Secrets, Peers: cfg.Peers})
		until(t, "b is let in", func() bool { return b.Stats().Routes == 1 })
		if n := s.Stats().Routes; n != 0 {
			t.Errorf("%s: the stranger has %d routes", name, n)
		}
		_ = s.Close()
		_ = b.Close()
		until(t, "b has gone", func() bool { return a.Stats().Routes == 0 })
	}
}

// A secret is changed as everywhere: all know the new one, then it is shown, then the old one is forgotten.
func TestASecretCanBeChanged(t *testing.T) {
	t.Parallel()
	old, next := secret("o"), secret("n")
	a := open(t, Config{Node: "a", Listen: "127.0.0.1:0", Secrets: [][]byte{old}})
	if err := a.SetSecrets([][]byte{old, next}); err != nil {
		t.Fatal(err)
	}
	b := open(t, Config{Node: "b", Listen: "127.0.0.1:0", Secrets: [][]byte{next, old}, Peers: []string{a.RouteAddr()}})
	until(t, "who shows the new one is let in", func() bool { return b.Stats().Routes == 1 })
	if err := a.SetSecrets([][]byte{next}); err != nil {
		t.Fatal(err)
	}
	c := open(t, Config{Node: "c", Listen: "127.0.0.1:0", Secrets: [][]byte{old}, Peers: []string{a.RouteAddr()}})
	d := open(t, Config{Node: "d", Listen: "127.0.0.1:0", Secrets: [][]byte{next}, Peers: []string{a.RouteAddr()}})
	until(t, "who has the new one is let in, or still is", func() bool { // a busy machine may have cost b its connection
		return slices.Contains(names(a.node), "d") && slices.Contains(names(a.node), "b")
	})
	if slices.Contains(names(a.node), "c") {
		t.Errorf("a has routes with %q, c has %d", names(a.node), c.Stats().Routes)
	}
	_ = d
	unbroken(t, a)
}

// unbroken holds a Bus to the connection with the server within it, which is told of new secrets and addresses.
func unbroken(t *testing.T, b *Bus) {
	t.Helper()
	if err := b.conn.FlushTimeout(patience); err != nil || b.conn.Stats().Reconnects > 0 {
		t.Errorf("%s lost its own server: %v, connected anew %d times", b.cfg.Node, err, b.conn.Stats().Reconnects)
	}
}

// All list all, and start in any order: nobody is left on an island.
func TestAllFindAllWhicheverIsFirst(t *testing.T) {
	t.Parallel()
	for _, order := range [][]int{{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}, {2, 0, 3, 1}} {
		n := len(order)
		ports, all := freePorts(t, n), []*Bus(nil)
		for _, i := range order {
			all = append(all, open(t, Config{Node: bustest.Name(i), Listen: ports[i], Peers: ports}))
		}
		for _, b := range all {
			if got := b.Expected(t.Context()); got != n-1 {
				t.Errorf("%s expects %d others, want %d", b.cfg.Node, got, n-1)
			}
			until(t, fmt.Sprintf("%v: it has found all", order), func() bool { return b.Stats().Routes == n-1 })
		}
	}
}

// zone answers look-ups of a test.
type zone struct {
	mu    sync.Mutex
	addrs []string
	err   error
}

func (z *zone) set(err error, addrs ...string) {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.addrs, z.err = addrs, err
}

func (z *zone) lookup(context.Context, string) ([]string, error) {
	z.mu.Lock()
	defer z.mu.Unlock()
	return slices.Clone(z.addrs), z.err
}

func TestPeersAreFoundByName(t *testing.T) {
	z, own := new(zone), [][]byte{secret("a")}
	lookupHost = z.lookup
	lookupTime = 20 * time.Millisecond
	t.Cleanup(func() { lookupHost, lookupTime = net.DefaultResolver.LookupHost, 5*time.Second })
	z.set(errors.New("no such name"))
	addrs, err := freeport.Loopback(1) // a port that is free at other addresses, too
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(addrs[0])
	open(t, Config{Node: "a", Listen: addrs[0], Secrets: own})
	b := open(t, Config{Node: "b", Listen: "127.0.0.2:" + port, Peers: []string{"dns:nodes.test:" + port}, Secrets: own})
	if n := b.Expected(t.Context()); n != 1 {
		t.Errorf("before the name is known %d others are expected, want 1 for it", n)
	}
	z.set(nil, "127.0.0.1", "127.0.0.2")
	until(t, "b has found a", func() bool { return b.Stats().Routes == 1 })
	if n := b.Expected(t.Context()); n != 1 {
		t.Errorf("%d others are expected, want 1", n)
	}
	// An answer that is short ends no connection.
	z.set(nil, "127.0.0.2")
	c := open(t, Config{Node: "c", Listen: "127.0.0.3:" + port, Peers: []string{"dns:nodes.test:" + port}, Secrets: own})
	until(t, "c has found both, one by the other", func() bool { return c.Stats().Routes == 2 })
	until(t, "b has both, too", func() bool { return b.Stats().Routes == 2 })
	unbroken(t, b)
}

func TestAddressesAreForgottenAfterAWhile(t *testing.T) {
	now := time.Now()
	seen := map[string]time.Time{"b:1": now.Add(-keptTime - time.Second), "c:1": now, "a:1": now.Add(-keptTime + time.Second)}
	if got := addressesOf(seen, now); !slices.Equal(got, []string{"a:1", "c:1"}) || len(seen) != 2 {
		t.Errorf("got %q", got)
	}
}

func TestAPortThatIsTakenIsSaid(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, err = New(Config{Node: "a", Listen: l.Addr().String()})
	if err == nil || !strings.Contains(err.Error(), "address already in use") || !strings.Contains(err.Error(), l.Addr().String()) {
		t.Errorf("got %v", err)
	}
}

func TestWhatIsNotSafeIsRefused(t *testing.T) {
	for _, tc := range []struct {
		cfg  Config
		want string
	}{
		{Config{Node: "a", Listen: "0.0.0.0:0"}, "beyond loopback"},
		{Config{Node: "a", Listen: ":0"}, "beyond loopback"},
		{Config{Node: "a", Listen: "example.com:0"}, "beyond loopback"},
		{Config{Node: "a.b"}, "Node must be"},
		{Config{Node: "a", Name: "*"}, "Name must be"},
		{Config{Node: "a", Listen: "x"}, "Listen"},
		{Config{Node: "a", Peers: []string{"x"}}, "Peers"},
		{Config{Node: "a", Credentials: "x"}, "Credentials"},
	} {
		if _, err := New(tc.cfg); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%+v: %v, want %q", tc.cfg, err, tc.want)
		}
	}
}

// natsServer is a NATS that is there already.
func natsServer(t *testing.T, port int) *server.Server {
	t.Helper()
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: port, NoSigs: true, NoLog: true})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	if !s.ReadyForConnections(patience) {
		t.Fatal("no server")
	}
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	return s
}

func TestANATSThatTakesTooLittleIsRefused(t *testing.T) {
	t.Parallel()
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: server.RANDOM_PORT, NoSigs: true, NoLog: true, MaxPayload: 32 << 10})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	if !s.ReadyForConnections(patience) {
		t.Fatal("no server")
	}
	if _, err := New(Config{Node: "a", Servers: s.ClientURL()}); err == nil || !strings.Contains(err.Error(), "max_payload") {
		t.Errorf("got %v", err)
	}
}

func TestAnExistingNATSKeepsTheContract(t *testing.T) {
	t.Parallel()
	s := natsServer(t, server.RANDOM_PORT)
	var runs atomic.Int64
	bustest.Run(t, func(t *testing.T, nodes int) (all []cluster.Bus) {
		name := fmt.Sprint("run", runs.Add(1)) // they share the server
		for i := range nodes {
			all = append(all, open(t, Config{Node: bustest.Name(i), Name: name, Servers: s.ClientURL()}))
		}
		return all
	})
}

func TestAnExistingNATSMayRestart(t *testing.T) {
	t.Parallel()
	ports := freePorts(t, 1)
	_, text, _ := net.SplitHostPort(ports[0])
	port, err := net.LookupPort("tcp", text)
	if err != nil {
		t.Fatal(err)
	}
	s := natsServer(t, port)
	a := open(t, Config{Node: "a", Servers: s.ClientURL()})
	b := open(t, Config{Node: "b", Servers: s.ClientURL()})
	bustest.Met(t, []cluster.Bus{a, b})
	s.Shutdown()
	s.WaitForShutdown()
	for range 3 * reconnectBytes / batchBytes { // what has no room is lost, and nobody waits
		if err := a.Publish("x", make([]byte, batchBytes)); err != nil && err != cluster.ErrBusy {
			t.Fatal(err)
		}
	}
	natsServer(t, port)
	bustest.Met(t, []cluster.Bus{a, b})
}

func TestTwoClustersShareAnExistingNATS(t *testing.T) {
	s := natsServer(t, server.RANDOM_PORT)
	a := open(t, Config{Node: "a", Name: "one", Servers: s.ClientURL()})
	b := open(t, Config{Node: "b", Name: "one", Servers: s.ClientURL()})
	c := open(t, Config{Node: "c", Name: "two", Servers: s.ClientURL()})
	heard := make(chan string, 10)
	if err := c.Subscribe("sw.all", func(body []byte) { heard <- string(body) }); err != nil {
		t.Fatal(err)
	}
	got := make(chan string, 10)
	if err := b.Subscribe("sw.all", func(body []byte) { got <- string(body) }); err != nil {
		t.Fatal(err)
	}
	bustest.Met(t, []cluster.Bus{a, b})
	if err := a.Publish("sw.all", []byte("x")); err != nil {
		t.Fatal(err)
	}
	receive(t, got)
	if len(heard) != 0 {
		t.Errorf("another cluster hears %q", <-heard)
	}
}

// A server that ends by itself is a fault of one node: the others see it gone, and come back.
func TestTheServerWithinIsStartedAgain(t *testing.T) {
	t.Parallel()
	a := open(t, Config{Node: "a", Listen: freePorts(t, 1)[0], Secrets: [][]byte{secret("a")}})
	b := open(t, Config{Node: "b", Listen: "127.0.0.1:0", Secrets: [][]byte{secret("a")}, Peers: []string{a.RouteAddr()}})
	bustest.Met(t, []cluster.Bus{a, b})
	lost := make(chan struct{})
	b.Watch("a", func() { close(lost) })
	at := a.RouteAddr()
	b.node.log.note(Refusal{at, unreachable}, time.Now().Add(time.Hour)) // it is not forgotten by itself
	a.node.server.Load().Shutdown()
	select {
	case <-lost:
	case <-time.After(patience):
		t.Fatal("nobody tells that the node cannot be reached")
	}
	bustest.Met(t, []cluster.Bus{a, b})
	if a.RouteAddr() != at {
		t.Errorf("it listens at %s now, and did at %s", a.RouteAddr(), at)
	}
	until(t, "nobody says that it cannot be reached", func() bool { return len(b.Stats().Refusals) == 0 })
}

// names are those of the nodes with which a node has connections.
func names(n *node) (all []string) {
	for _, r := range n.routesNow() {
		all = append(all, r.RemoteName)
	}
	return all
}
