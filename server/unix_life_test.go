package server

import (
	"context"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Of many that find a dead socket one takes its place, and all others see that it lives.
func TestOneOfManyTakesTheDeadSocket(t *testing.T) {
	addr := unixAddr(t)
	for range 100 {
		dead(t, strings.TrimPrefix(addr, "unix:"))
		const n = 8
		type claimed struct {
			c   *unixClaim
			err error
		}
		all := make(chan claimed, n)
		for range n {
			go func() {
				c, err := claimUnix(&Listener{Addr: addr, Mode: 0o600}, 0)
				all <- claimed{c, err}
			}()
		}
		var winner *unixClaim
		for range n {
			switch got := <-all; {
			case got.err != nil && !strings.Contains(got.err.Error(), "in use"):
				t.Fatal(got.err)
			case got.err == nil && winner != nil:
				t.Fatal("two have it")
			case got.err == nil:
				winner = got.c
			}
		}
		winner.close()
	}
}

// A killed node leaves its socket, and the next takes its place; of two that come at a time one does.
func TestANodeComesBackToTheSocketOfAKilledOne(t *testing.T) {
	addr := unixAddr(t)
	path := strings.TrimPrefix(addr, "unix:")
	var stopped *child
	for round := range 3 {
		c := startChild(t, orders{Listen: addr})
		p := c.Peer("x")
		if err := p.Join(t.Context()); err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		p.Close()
		if round == 2 { // frozen is not dead
			stopped = c
			break
		}
		if err := c.cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = c.cmd.Wait()
		if _, err := os.Lstat(path); err != nil {
			t.Fatalf("the killed node's socket: %v", err)
		}
	}
	if err := stopped.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	s, err := New(Config{Listen: addr})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("a frozen node's socket: %v", err)
	}
	_ = stopped.cmd.Process.Kill()
	_ = stopped.cmd.Wait()
	const n = 8
	errs := make(chan error, n)
	var nodes [n]*Server
	for i := range nodes {
		if nodes[i], err = New(Config{Listen: addr, Loops: 1}); err != nil {
			t.Fatal(err)
		}
		go func() { errs <- nodes[i].Start() }()
	}
	started := 0
	for range nodes {
		if err := <-errs; err == nil {
			started++
		} else if !strings.Contains(err.Error(), "in use") {
			t.Error(err)
		}
	}
	if started != 1 {
		t.Errorf("%d nodes listen at one socket", started)
	}
	for _, s := range nodes {
		if s.isReady() {
			joinNode(t, s, "alive")
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			_ = s.Stop(ctx)
		}
	}
}

// A node removes its own socket only.
func TestANodeLeavesTheSocketOfAnother(t *testing.T) {
	s := startNode(t, Config{Loops: 1, Listen: unixAddr(t)})
	path := strings.TrimPrefix(s.Addr(), "unix:")
	dead(t, path)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Stop(ctx); err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(path); err != nil {
		t.Errorf("another's socket is gone: %v", err)
	}
}

// Whoever comes while the node stops is told so, and no loop is left with a connection on its way.
func TestAStopWhileManyComeByAUnixSocket(t *testing.T) {
	s := startNode(t, Config{Loops: 2, Listen: unixAddr(t)})
	path := strings.TrimPrefix(s.Addr(), "unix:")
	done := make(chan struct{})
	for range 4 {
		go func() {
			for {
				select {
				case <-done:
					return
				default:
					if c, err := net.Dial("unix", path); err == nil {
						_, _ = c.Write(helloFrame("x"))
						c.Close()
					}
				}
			}
		}()
	}
	eventually(t, "they come", func() bool { return s.exact().Accepted > 100 })
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := s.Stop(ctx); err != nil {
		t.Error(err)
	}
	close(done)
}
