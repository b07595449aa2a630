package main

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/client"
	"github.com/stormwheel/stormwheel/codec"
)

// join runs a client of a node and returns it when it is ready.
func join(t *testing.T, cfg client.Config) *client.Client {
	if cfg.Deliver == nil {
		cfg.Deliver = func(client.Message) {} // its echoes
	}
	t.Helper()
	c, err := client.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ran := make(chan error, 1)
	go func() { ran <- c.Run(t.Context()) }()
	t.Cleanup(func() { c.Close(); <-ran })
	waitFor(t, "a session", func() bool { return c.Info().State == client.Ready })
	return c
}

func waitFor(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", patience, what)
		}
	}
}

// An application that sends as fast as Send lets it is paced, and never cut off.
func TestSendPacesItselfBelowTheLimitsOfTheNode(t *testing.T) {
	const messages = 12000 // the burst is 8000
	n := serve(t)
	var acked atomic.Int64
	c := join(t, client.Config{Endpoints: []string{n.listen}, ID: "a", Settled: func(_ uint64, o client.Outcome) {
		if o.Err == nil {
			acked.Add(1)
		}
	}})
	for range messages {
		if _, err := c.Send(t.Context(), []byte("hello")); err != nil {
			t.Fatal(err)
		}
	}
	waitFor(t, "all ACKs", func() bool { return acked.Load() == messages })
	if i := c.Info(); i.Sessions != 1 || i.Losses != 0 {
		t.Errorf("Info = %+v, want one undisturbed session", i)
	}
}

// A message that the node does not take is an error of Send, and the session lives.
func TestMessageThatTheNodeDoesNotTakeIsAnErrorOfSend(t *testing.T) {
	n := serve(t)
	var acked atomic.Int64
	c := join(t, client.Config{Endpoints: []string{n.listen}, ID: "a", MaxPayload: 1 << 20, Settled: func(_ uint64, o client.Outcome) {
		if o.Err == nil {
			acked.Add(1)
		}
	}})
	if _, err := c.Send(t.Context(), make([]byte, codec.MaxPayload-7)); !errors.Is(err, client.ErrTooLarge) {
		t.Errorf("Send of a byte too many = %v, want ErrTooLarge", err)
	}
	if _, err := c.Send(t.Context(), make([]byte, codec.MaxPayload-8)); err != nil {
		t.Errorf("Send of the largest message = %v", err)
	}
	waitFor(t, "an ACK", func() bool { return acked.Load() == 1 })
	if i := c.Info(); i.Losses != 0 {
		t.Errorf("Info = %+v, want one undisturbed session", i)
	}
}

// An application that is slower than the node's patience with a silent client keeps its
// session, since PINGs go on.
func TestSlowDeliverKeepsItsSession(t *testing.T) {
	t.Parallel() // it waits
	n := serve(t, "--heartbeat", "1s", "--timeout", "5s")
	var delivered atomic.Int64
	c := join(t, client.Config{Endpoints: []string{n.listen}, ID: "a", PongTimeout: 4 * time.Second,
		Deliver: func(client.Message) { time.Sleep(6 * time.Second); delivered.Add(1) }})
	if _, err := c.Send(t.Context(), []byte("echo")); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the slow message", func() bool { return delivered.Load() == 1 })
	time.Sleep(time.Second) // in which a session that is dead would be noticed
	if i := c.Info(); i.Sessions != 1 || i.Losses != 0 || i.Pings < 3 {
		t.Errorf("Info = %+v, want one undisturbed session", i)
	}
}

// A kernel takes much for a process that is stopped: that is no life.
func TestStoppedNodeIsNoticedByABusyClient(t *testing.T) {
	const interval, pongTimeout = time.Second, 2 * time.Second
	n := serve(t, "--heartbeat", interval.String(), "--timeout", "1m")
	c := join(t, client.Config{Endpoints: []string{n.listen}, ID: "a", PongTimeout: pongTimeout})
	n.signal(syscall.SIGSTOP)
	defer n.signal(syscall.SIGCONT)
	stopped := time.Now()
	for c.Info().Losses == 0 && time.Since(stopped) < patience {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		c.Send(ctx, make([]byte, 1000))
		<-ctx.Done()
		cancel()
	}
	if i := c.Info(); i.Losses == 0 || i.LastError == nil || !strings.Contains(i.LastError.Error(), "no PONG") {
		t.Errorf("after %v: %d losses, %v; want that it is missed", time.Since(stopped), i.Losses, i.LastError)
	}
}
