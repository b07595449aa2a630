package cluster_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/stormwheel/stormwheel/cluster"
	"github.com/stormwheel/stormwheel/server"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		// gnet's pool of workers is the process's and never ends.
		goleak.IgnoreAnyFunction("github.com/panjf2000/ants/v2.(*poolCommon).purgeStaleWorkers"),
		goleak.IgnoreAnyFunction("github.com/panjf2000/ants/v2.(*poolCommon).ticktock"),
		goleak.IgnoreAnyFunction("github.com/panjf2000/ants/v2.(*goWorker).run.func1"))
}

// patience is how long a test waits for what must come.
const patience = time.Minute

// told is what a node's Handler was told, in words.
type told struct {
	mu  sync.Mutex
	all []string
}

func (l *told) add(text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, text)
}

func (l *told) now() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.all)
}

func (l *told) has(text string) bool { return slices.Contains(l.now(), text) }

// member is a node of a test, with a server of its own.
type member struct {
	*cluster.Node
	srv *server.Server
	told
}

// join makes a node and starts it; change may be nil.
func join(t *testing.T, net *cluster.Memory, name string, change func(*cluster.Config, *server.Config)) *member {
	t.Helper()
	bus := net.Bus(name)
	t.Cleanup(func() { _ = bus.Close() })
	return joinBy(t, bus, name, change)
}

// joinBy is join by any bus.
func joinBy(t *testing.T, bus cluster.Bus, name string, change func(*cluster.Config, *server.Config)) *member {
	t.Helper()
	cfg := cluster.Config{Node: name, Bus: bus, Replace: true}
	own := server.Config{Node: name, Listen: "127.0.0.1:0", Loops: 1, Duplicates: server.Replace, Tick: 10 * time.Millisecond}
	if change != nil {
		change(&cfg, &own)
	}
	n, err := cluster.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	own.Handler = n.Wrap(own.Handler)
	srv, err := server.New(own)
	if err != nil {
		t.Fatal(err)
	}
	m := &member{Node: n, srv: srv}
	err = n.Start(srv, cluster.Handler{
		Up:      func(node string) { m.add("up " + node) },
		Down:    func(node string) { m.add("down " + node) },
		Login:   func(node string, l cluster.Login) { m.add(fmt.Sprintf("login %s %s %s", node, l.ID, l.User)) },
		Logout:  func(node string, l cluster.Login) { m.add(fmt.Sprintf("logout %s %s", node, l.ID)) },
		Message: func(node string, body []byte) { m.add(fmt.Sprintf("message %s %s", node, body)) },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.Close)
	if err := srv.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = srv.Stop(t.Context()) }) // a context that is over: at once
	if cfg.Advertise == "" {
		if err := n.Advertise(srv.Addr()); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !ok(); time.Sleep(time.Millisecond) {
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

// see waits until all nodes live for all.
func see(t *testing.T, all ...*member) {
	t.Helper()
	var names []string
	for _, m := range all {
		names = append(names, m.Node.Node())
	}
	slices.Sort(names)
	until(t, "all see all", func() bool {
		return !slices.ContainsFunc(all, func(m *member) bool { return !slices.Equal(m.Live(), names) })
	})
}

func TestNodesSeeEachOtherAndWhoLeaves(t *testing.T) {
	t.Parallel()
	var net cluster.Memory
	a, b, c := join(t, &net, "a", nil), join(t, &net, "b", nil), join(t, &net, "c", nil)
	see(t, a, b, c)
	// The Handler hears of it behind Live.
	until(t, "a is told that both are up", func() bool { return a.has("up b") && a.has("up c") })
	if h := a.Home("room"); h != b.Home("room") || h != c.Home("room") || !slices.Contains(a.Live(), h) {
		t.Errorf("the home of a key is %s, %s and %s", h, b.Home("room"), c.Home("room"))
	}
	c.Close()
	see(t, a, b)
	until(t, "a is told that c has gone", func() bool { return a.has("down c") })
}

func TestMessagesArriveInOrderBehindLogins(t *testing.T) {
	t.Parallel()
	var net cluster.Memory
	a, b := join(t, &net, "a", nil), join(t, &net, "b", nil)
	see(t, a, b)
	ref := a.srv.Ref(server.Ref{}.SessionID())
	stamp := a.Opened(cluster.Login{ID: "alice", User: "alice", Incarnation: 7}, ref)
	if err := a.Send("b", []byte("1")); err != nil {
		t.Fatal(err)
	}
	if err := a.SendAll([]byte("2")); err != nil {
		t.Fatal(err)
	}
	a.Closed("alice", stamp)
	if err := a.Send("b", []byte("3")); err != nil {
		t.Fatal(err)
	}
	want := []string{"up a", "login a alice alice", "message a 1", "message a 2", "logout a alice", "message a 3"}
	until(t, "all has come", func() bool { return len(b.now()) >= len(want) })
	if got := b.now(); !slices.Equal(got, want) {
		t.Errorf("b was told %q, want %q", got, want)
	}
}

func TestSendSaysWhoIsNotThere(t *testing.T) {
	t.Parallel()
	var net cluster.Memory
	a, b := join(t, &net, "a", nil), join(t, &net, "b", nil)
	see(t, a, b)
	for _, node := range []string{"c", "a", ""} {
		if err := a.Send(node, []byte("x")); err != cluster.ErrUnknownNode {
			t.Errorf("Send(%q): %v, want ErrUnknownNode", node, err)
		}
	}
	if err := a.Send("b", make([]byte, cluster.MaxBody+1)); err != cluster.ErrTooBig {
		t.Errorf("Send of too much: %v", err)
	}
	if err := a.SendAll(make([]byte, cluster.MaxBody+1)); err != cluster.ErrTooBig {
		t.Errorf("SendAll of too much: %v", err)
	}
	b.Close()
	see(t, a)
	if err := a.Send("b", []byte("x")); err != cluster.ErrUnknownNode {
		t.Errorf("Send to who has left: %v, want ErrUnknownNode", err)
	}
	if err := a.SendAll([]byte("x")); err != nil {
		t.Errorf("SendAll to nobody: %v", err)
	}
	a.Close()
	if err := a.Send("b", nil); err != cluster.ErrUnknownNode {
		t.Errorf("Send of a node that has ended: %v", err)
	}
}

func TestASplitIsSeenAndHeals(t *testing.T) {
	t.Parallel()
	var net cluster.Memory
	a, b, c := join(t, &net, "a", nil), join(t, &net, "b", nil), join(t, &net, "c", nil)
	see(t, a, b, c)
	net.Split([]string{"a"}, []string{"b", "c"})
	see(t, a)
	see(t, b, c)
	net.Heal()
	see(t, a, b, c)
	if err := a.Send("c", []byte("hello")); err != nil {
		t.Fatal(err)
	}
	until(t, "it came", func() bool { return c.has("message a hello") })
}

func TestANodeThatFallsSilentIsGone(t *testing.T) {
	t.Parallel()
	var net cluster.Memory
	quick := func(c *cluster.Config, _ *server.Config) {
		c.Announce, c.Alive = 20*time.Millisecond, 200*time.Millisecond
	}
	a, b := join(t, &net, "a", quick), join(t, &net, "b", quick)
	see(t, a, b)
	net.Silence("a", "b")
	see(t, b)
	// Who is not heard any more is told so, and does not count on it either.
	see(t, a)
}

func TestHandlersMayCallTheNode(t *testing.T) {
	t.Parallel()
	var net cluster.Memory
	bus := net.Bus("a")
	defer bus.Close()
	n, err := cluster.New(cluster.Config{Node: "a", Bus: bus})
	if err != nil {
		t.Fatal(err)
	}
	srv, err := server.New(server.Config{Node: "a"})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	err = n.Start(srv, cluster.Handler{Message: func(node string, body []byte) {
		n.Closed("x", n.Opened(cluster.Login{ID: "x", User: "x", Incarnation: 1}, srv.Ref(server.Ref{}.SessionID())))
		_ = n.SendAll(body)
		if err := n.Send(node, body); err != nil || len(n.Live()) != 2 {
			t.Errorf("Send: %v, live %q", err, n.Live())
		}
		close(done)
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	b := join(t, &net, "b", nil)
	until(t, "they meet", func() bool { return len(b.Live()) == 2 })
	if err := b.Send("a", []byte("go")); err != nil {
		t.Fatal(err)
	}
	receive(t, done)
	until(t, "the answer", func() bool { return b.has("message a go") })
}

func TestTheSameNameEndsTheEarlierNode(t *testing.T) {
	t.Parallel()
	var net cluster.Memory
	a, b := join(t, &net, "a", nil), join(t, &net, "b", nil)
	see(t, a, b)
	again := join(t, &net, "a", nil)
	select {
	case err := <-a.Failed():
		if err != cluster.ErrReplaced {
			t.Errorf("Failed: %v", err)
		}
	case <-time.After(patience):
		t.Fatal("the earlier node is not told")
	}
	until(t, "the later one counts", func() bool { return slices.Equal(again.Live(), []string{"a", "b"}) })
}
