package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/machine"
	"github.com/stormwheel/stormwheel/internal/siege"
)

// hoard is the descriptors that an embedder has taken.
type hoard []int

// obey takes or gives back until word are left, if word is a number.
func (h *hoard) obey(word string) {
	n, err := strconv.Atoi(word)
	if err != nil {
		return
	}
	for fd, err := syscall.Dup(0); err == nil; fd, err = syscall.Dup(0) {
		*h = append(*h, fd)
	}
	for ; n > 0 && len(*h) > 0; n-- {
		syscall.Close((*h)[len(*h)-1])
		*h = (*h)[:len(*h)-1]
	}
}

// leave has the child's process use all descriptors but n.
func (c *child) leave(n int) {
	c.t.Helper()
	c.ask(strconv.Itoa(n), new(childStats))
}

// The embedder has taken most of the reserve. Who comes then is told so and closed at once,
// whatever he does, and the node lives to serve again.
func TestNodeLivesWhenItsReserveIsTaken(t *testing.T) {
	const left, clients = 10, 100 // of the reserve of 32, the last 8 are for those that are closed at once
	c := startChild(t, orders{Descriptors: 256})
	c.leave(left)
	var wg sync.WaitGroup
	var welcomed, full, other atomic.Int64
	release := make(chan struct{})
	for range clients {
		wg.Go(func() {
			p := c.Peer("crowd")
			defer p.Close()
			switch err := p.Join(t.Context()); {
			case err == nil:
				welcomed.Add(1)
			case p.Away.Code == codec.CodeFull:
				full.Add(1)
			default:
				other.Add(1)
			}
			<-release // none does the node the favour of closing first
		})
	}
	eventually(t, "everybody has an answer", func() bool { return welcomed.Load()+full.Load()+other.Load() == clients })
	if welcomed.Load() > left-8+3 || other.Load() > 0 { // a file that was open for a moment leaves room
		t.Errorf("with %d descriptors left %d were welcomed, %d told that it is full, %d not told anything", left, welcomed.Load(), full.Load(), other.Load())
	}
	eventually(t, "refusals counted", func() bool {
		st := c.stats()
		return st.Refused == uint64(full.Load()) && st.Closes["full"] == st.Refused
	})
	close(release)
	wg.Wait()
	c.leave(200)
	if _, f := c.join("after"); f.Type != codec.Welcome {
		t.Errorf("with descriptors left again: %v, want WELCOME", f.Type)
	}
}

// outcome is what became of a crowd.
type outcome struct{ Welcomed, Full, Other int }

// runCrowd is the main of n clients that come and stay until their input ends.
func runCrowd(node string, n int) int {
	r := siege.Rush(context.Background(), &siege.Target{Addr: node}, n, 8)
	full := r.Refused[codec.CodeFull]
	line, _ := json.Marshal(outcome{len(r.In), full, n - len(r.In) - full})
	fmt.Println(string(line))
	io.Copy(io.Discard, os.Stdin)
	runtime.KeepAlive(r) // so that none is collected
	return 0
}

// runBeating is the main of clients that speak until they are killed, each from its first moment on.
func runBeating(o orders) error {
	n, node := o.Beating, siege.Target{Addr: o.Node}
	if o.By == "tls" {
		node.Stage = anyTLS
	}
	ended := make(chan error, n)
	for i := range n {
		r := siege.Rush(context.Background(), &node, 1, 1)
		if len(r.In) != 1 {
			return fmt.Errorf("%d of %d came in: %v", i, n, errors.Join(r.Failed...))
		}
		go func() {
			_, err := siege.Beat(context.Background(), r.In, 200*time.Millisecond)
			ended <- err
		}()
	}
	fmt.Println(n)
	return <-ended
}

// crowd has n clients come to the child, from a process of their own.
func (c *child) crowd(n int) (clients *child, o outcome) {
	c.t.Helper()
	clients = startChild(c.t, orders{Crowd: n, Node: c.Addr})
	if err := json.Unmarshal([]byte(clients.Addr), &o); err != nil {
		c.t.Fatal(err)
	}
	return clients, o
}

// The whole of what the machine lets a process have, not a limit that a test has set.
func TestNodeRefusesAtTheMachinesOwnDescriptorLimit(t *testing.T) {
	if limit, _ := machine.Descriptors(); testing.Short() || limit > 30_000 {
		t.Skipf("the machine's own limit is %d descriptors: too many clients for a test", limit)
	}
	skipUnlessSlow(t, "20,000 clients join")
	const excess = 200
	c := startChild(t, orders{AdmitRate: 1e6})
	room := c.stats().MaxConns
	half := room / 2 // clients are subject to the same limit
	_, first := c.crowd(half)
	clients, second := c.crowd(room - half + excess)
	if first != (outcome{Welcomed: half}) || second != (outcome{Welcomed: room - half, Full: excess}) {
		t.Fatalf("a node with room for %d: %+v of %d, then %+v of %d", room, first, half, second, room-half+excess)
	}
	if _, f := c.join("late"); f.Type != codec.GoAway {
		t.Errorf("a full node answers with %v", f.Type)
	}
	clients.cmd.Process.Kill()
	eventually(t, "half has left", func() bool { return c.stats().Conns == uint64(half) })
	for i := range 50 {
		if _, f := c.join(fmt.Sprint("after-", i)); f.Type != codec.Welcome {
			t.Fatalf("client %d when there is room again: %v", i, f.Type)
		}
	}
}
