package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/client"
	"github.com/stormwheel/stormwheel/cluster"
	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/server"
)

// person is a client of a test.
type person struct {
	*client.Client
	ended   chan error
	offline atomic.Int64 // times that it was not ready after it had been
}

func connect(t *testing.T, id string, endpoints ...string) *person {
	t.Helper()
	p := &person{ended: make(chan error, 1)}
	was := false // of Run's goroutine
	c, err := client.New(client.Config{Endpoints: endpoints, ID: id, StateChange: func(info client.Info) {
		if was && info.State != client.Ready {
			p.offline.Add(1)
		}
		was = info.State == client.Ready
	}})
	if err != nil {
		t.Fatal(err)
	}
	p.Client = c
	ctx, cancel := context.WithCancel(context.Background())
	var ran sync.WaitGroup
	ran.Go(func() { p.ended <- c.Run(ctx) })
	t.Cleanup(func() { cancel(); ran.Wait() })
	return p
}

func (p *person) on(node string) bool {
	info := p.Info()
	return info.State == client.Ready && info.Node == node
}

// A person at two nodes is one too many: the later login stays, as on one node.
func TestALaterLoginElsewhereReplacesTheEarlier(t *testing.T) {
	t.Parallel()
	var net cluster.Memory
	a, b := join(t, &net, "a", nil), join(t, &net, "b", nil)
	see(t, a, b)
	first := connect(t, "alice", a.srv.Addr())
	until(t, "the first is on a", func() bool { return first.on("a") })
	second := connect(t, "alice", b.srv.Addr())
	select {
	case err := <-first.ended:
		var code *client.CodeError
		if !errors.As(err, &code) || code.Code.String() != "replaced" {
			t.Errorf("the earlier ends with %v, want replaced", err)
		}
	case <-time.After(patience):
		t.Fatal("both stay")
	}
	until(t, "the second is on b", func() bool { return second.on("b") })
	until(t, "a says so", func() bool { return a.Status().Counts.Replaced == 1 })
}

// Logins that race on two nodes leave one each.
func TestRacedLoginsLeaveOneEach(t *testing.T) {
	t.Parallel()
	const people = 50
	var net cluster.Memory
	rate := func(_ *cluster.Config, s *server.Config) { s.AdmitRate = 1e5 }
	a, b := join(t, &net, "a", rate), join(t, &net, "b", rate)
	see(t, a, b)
	var all [people][2]*person
	for i := range all {
		all[i][0] = connect(t, fmt.Sprint("p", i), a.srv.Addr())
		all[i][1] = connect(t, fmt.Sprint("p", i), b.srv.Addr())
	}
	until(t, "one each", func() bool {
		return a.srv.Stats().Sessions+b.srv.Stats().Sessions == people && a.Status().Counts.Claimed+b.Status().Counts.Claimed == 2*people
	})
	for i := range all {
		until(t, "one of two ends, and the other stays", func() bool {
			x, y := len(all[i][0].ended) == 1, len(all[i][1].ended) == 1
			if x && y {
				t.Fatalf("both sessions of p%d have ended", i)
			}
			return x != y && (all[i][0].on("a") || all[i][1].on("b"))
		})
	}
}

// Without Replace logins are told, and end nobody.
func TestLoginsStandBesideEachOther(t *testing.T) {
	t.Parallel()
	var net cluster.Memory
	beside := func(c *cluster.Config, s *server.Config) { c.Replace, s.Duplicates = false, server.StandBeside }
	a, b := join(t, &net, "a", beside), join(t, &net, "b", beside)
	see(t, a, b)
	first, second := connect(t, "alice", a.srv.Addr()), connect(t, "alice", b.srv.Addr())
	until(t, "each knows of the other's, and both are let in", func() bool {
		return a.has("login b alice alice") && b.has("login a alice alice") && first.on("a") && second.on("b")
	})
}

// Nobody is given a list of nodes: who is connected is told of each that comes, and of those that go.
func TestClientsAreToldTheLiveNodes(t *testing.T) {
	t.Parallel()
	var net cluster.Memory
	short := func(_ *cluster.Config, s *server.Config) {
		s.Heartbeat, s.Timeout, s.MaxWindow = 200*time.Millisecond, 2*time.Second, time.Second
	}
	a := join(t, &net, "a", short)
	p := connect(t, "alice", a.srv.Addr())
	until(t, "it is on a", func() bool { return p.on("a") })
	b := join(t, &net, "b", short)
	see(t, a, b)
	until(t, "a names b", func() bool { return slices.Equal(a.srv.Tunable().Alternates, []string{b.srv.Addr()}) })
	pongs := p.Info().Pongs
	until(t, "a heartbeat was answered", func() bool { return p.Info().Pongs >= pongs+2 })
	// The client knows b by PONG alone: a ends without a word.
	if err := a.srv.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
	a.Close()
	until(t, "it is on b", func() bool { return p.on("b") })
	until(t, "b names nobody", func() bool { return len(b.srv.Tunable().Alternates) == 0 })
}

func TestADrainingNodeIsNobodysAlternate(t *testing.T) {
	t.Parallel()
	var net cluster.Memory
	a, b := join(t, &net, "a", nil), join(t, &net, "b", nil)
	see(t, a, b)
	until(t, "b names a", func() bool { return len(b.srv.Tunable().Alternates) == 1 })
	a.Drain(true)
	until(t, "b names nobody", func() bool { return len(b.srv.Tunable().Alternates) == 0 })
	b.Drain(true)
	if got := b.Draining(); got != "a" {
		t.Errorf("b is told to wait for %q, want a", got)
	}
	if got := a.Draining(); got != "" {
		t.Errorf("a, which began first, is told to wait for %q", got)
	}
}

func TestOwnAlternatesStay(t *testing.T) {
	t.Parallel()
	var net cluster.Memory
	a := join(t, &net, "a", func(c *cluster.Config, s *server.Config) {
		c.OwnAlternates, c.OwnRate, s.Alternates, s.FailoverRate = true, true, []string{"10.0.0.9:7000"}, 77
	})
	b := join(t, &net, "b", nil)
	see(t, a, b)
	if err := b.Send("a", nil); err != nil {
		t.Fatal(err)
	}
	until(t, "a has done what b's coming asks for", func() bool { return a.has("message b ") })
	if got := a.srv.Tunable(); !slices.Equal(got.Alternates, []string{"10.0.0.9:7000"}) || got.FailoverRate != 77 {
		t.Errorf("a names %q, at %v/s", got.Alternates, got.FailoverRate)
	}
}

// A node that joins gets its share, and nobody is offline for it.
func TestANodeThatJoinsGetsItsShare(t *testing.T) {
	t.Parallel()
	const people = 60
	var net cluster.Memory
	quick := func(c *cluster.Config, s *server.Config) {
		c.Announce, c.Alive, s.AdmitRate = 100*time.Millisecond, time.Second, 1e4
	}
	a := join(t, &net, "a", quick)
	var all []*person
	for i := range people {
		all = append(all, connect(t, fmt.Sprint("p", i), a.srv.Addr()))
	}
	until(t, "all are on a", func() bool { return a.srv.Stats().Sessions == people })
	b := join(t, &net, "b", quick)
	until(t, "b has its share", func() bool {
		n := b.srv.Stats().Sessions
		return n >= people/2-5 && n+a.srv.Stats().Sessions == people
	})
	for _, p := range all {
		if n := p.offline.Load(); n != 0 || p.Info().Losses != 0 {
			t.Errorf("a client was offline %d times, with %d losses", n, p.Info().Losses)
		}
	}
}

// hello connects by hand, as a process that told an incarnation.
func hello(t *testing.T, addr, id string, incarnation uint64, attempt uint32) net.Conn {
	t.Helper()
	return say(t, addr, &codec.HelloMessage{ClientID: []byte(id), Incarnation: incarnation, Attempt: attempt})
}

// say connects by hand.
func say(t *testing.T, addr string, m *codec.HelloMessage) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	m.MinVersion, m.MaxVersion = 1, 1
	frame, err := codec.AppendHello(nil, m)
	if err == nil {
		_, err = conn.Write(frame)
	}
	if err == nil {
		err = conn.SetDeadline(time.Now().Add(patience))
	}
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

// A client that is somewhere else now loses its old session there, but not before what is on its way can have come.
func TestAClientThatCameElsewhereIsSuperseded(t *testing.T) {
	t.Parallel()
	var net cluster.Memory
	a, b := join(t, &net, "a", nil), join(t, &net, "b", nil)
	see(t, a, b)
	old := hello(t, a.srv.Addr(), "alice", 7, 1)
	until(t, "it is at a", func() bool { return b.has("login a alice alice") && a.srv.Stats().Sessions == 1 })
	came := time.Now()
	hello(t, b.srv.Addr(), "alice", 7, 2)
	until(t, "a knows", func() bool { return a.Status().Counts.Superseded == 1 })
	all, _ := io.ReadAll(old) // until a closes it
	if after := time.Since(came); after < cluster.SupersededTime {
		t.Errorf("the old session ended after %v, want %v at least", after, cluster.SupersededTime)
	}
	found := false
	for f, size, err := codec.Decode(all, codec.MaxPayload); err == nil; f, size, err = codec.Decode(all, codec.MaxPayload) {
		all = all[size:]
		if m, err := codec.ParseGoAway(f.Payload); f.Type == codec.GoAway && err == nil {
			found = m.Code == codec.CodeSuperseded
		}
	}
	if !found {
		t.Error("the old session did not end as superseded")
	}
	until(t, "b has the client's", func() bool { return b.srv.Stats().Sessions == 1 })
}
