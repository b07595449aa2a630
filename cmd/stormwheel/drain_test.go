package main

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/client"
	"github.com/stormwheel/stormwheel/codec"
)

// A drain is unready first, refuses the new, then tells the present; a second signal waits
// for nobody.
func TestDrainIsUnreadyAndTheSecondSignalIsHard(t *testing.T) {
	n := serve(t, "--drain-grace", "300ms", "--alternates", "127.0.0.1:9")
	p := dial(t, n.listen)
	p.join()
	n.signal(syscall.SIGTERM)
	for deadline := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		if status, _ := n.get("GET", "/readyz"); status == 503 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("/readyz of a draining node stays 200")
		}
	}
	for what, peer := range map[string]*peer{"new": dial(t, n.listen), "present": p} {
		f := peer.next()
		m, err := codec.ParseGoAway(f.Payload)
		if f.Type != codec.GoAway || err != nil || m.Code != codec.CodeDraining || string(m.Alternates) != "127.0.0.1:9" {
			t.Errorf("a %s client is sent %v %+v, %v", what, f.Type, m, err)
		}
	}
	// The present client is still served.
	p.write(codec.AppendSend(nil, 1, []byte("hello")), nil)
	if f := p.next(); f.Type != codec.Deliver {
		t.Errorf("SEND is answered by %v", f.Type)
	}
	if status, _ := n.get("GET", "/livez"); status != 200 {
		t.Errorf("/livez of a draining node: status %d, want 200", status)
	}
	n.signal(syscall.SIGTERM)
	if code, _ := n.exit(); code != 0 || !strings.Contains(n.stderr.String(), "stopping at once") {
		t.Errorf("second signal: exit %d, log\n%s", code, n.stderr.String())
	}
}

// The whole promise with real processes: clients that talk all the time move to another
// node without being offline, and lose no message.
func TestDrainMovesEveryClientToTheOtherNode(t *testing.T) {
	const clients = 40
	b := serve(t, "--node", "b")
	a := serve(t, "--node", "a", "--alternates", b.listen, "--drain-grace", "200ms", "--failover-rate", "50")
	ctx, stop := context.WithCancel(t.Context())
	var sent, acked, offline atomic.Int64
	var all []*client.Client
	var ran, senders sync.WaitGroup
	defer func() { stop(); ran.Wait(); senders.Wait() }()
	talking, hush := context.WithCancel(ctx)
	defer hush()
	for i := range clients {
		wasReady := false // of Run's goroutine
		c, err := client.New(client.Config{
			Endpoints: []string{a.listen}, ID: fmt.Sprint("c", i),
			Deliver: func(client.Message) {}, // its echoes
			Settled: func(_ uint64, o client.Outcome) {
				if o.Err == nil {
					acked.Add(1)
				}
			},
			StateChange: func(info client.Info) {
				if wasReady && info.State != client.Ready && ctx.Err() == nil {
					offline.Add(1)
				}
				wasReady = wasReady || info.State == client.Ready
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, c)
		ran.Go(func() { _ = c.Run(ctx) })
		senders.Go(func() {
			for talking.Err() == nil {
				if _, err := c.Send(ctx, []byte("x")); err == nil {
					sent.Add(1)
				}
				time.Sleep(10 * time.Millisecond)
			}
		})
	}
	wait := func(what string, cond func() bool) {
		t.Helper()
		for deadline := time.Now().Add(patience); !cond(); time.Sleep(5 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("not within %v: %s; the draining node said\n%s", patience, what, a.stderr.String())
			}
		}
	}
	on := func(node string) (n int) {
		for _, c := range all {
			if info := c.Info(); info.State == client.Ready && info.Node == node {
				n++
			}
		}
		return n
	}
	wait("all are on a", func() bool { return on("a") == clients })
	a.signal(syscall.SIGTERM)
	if code, _ := a.exit(); code != 0 {
		t.Errorf("exit %d", code)
	}
	wait("all are on b", func() bool { return on("b") == clients })
	if offline.Load() != 0 {
		t.Errorf("%d were offline; the draining node said\n%s", offline.Load(), a.stderr.String())
	}
	for _, c := range all {
		if info := c.Info(); info.Losses != 0 || info.Sessions != 2 {
			t.Errorf("%+v", info)
		}
	}
	if log := a.stderr.String(); !strings.Contains(log, fmt.Sprintf("msg=drained moved=%d left=0", clients)) {
		t.Errorf("the log does not say how it went:\n%s", log)
	}
	hush()
	senders.Wait()
	wait("each message is acknowledged", func() bool { return acked.Load() >= sent.Load() })
	if s, n := sent.Load(), acked.Load(); n != s || s == 0 {
		t.Errorf("%d messages sent, %d acknowledged", s, n)
	}
}

// Nothing to hand over: the end is immediate.
func TestDrainWithoutClientsEndsAtOnce(t *testing.T) {
	n := serve(t, "--drain-grace", "1h")
	n.signal(syscall.SIGTERM)
	if code, _ := n.exit(); code != 0 {
		t.Errorf("exit %d", code)
	}
}
