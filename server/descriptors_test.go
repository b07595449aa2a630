package server

import (
	"fmt"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
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
	fmt.Fprintln(c.in, n)
	if !c.out.Scan() {
		c.t.Fatal("the node is gone")
	}
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
			conn, err := net.Dial("tcp", c.addr)
			if err != nil {
				other.Add(1)
				return
			}
			defer conn.Close()
			conn.SetDeadline(time.Now().Add(20 * time.Second))
			conn.Write(helloFrame("crowd"))
			w := &wire{t: t, Conn: conn}
			f, err := w.next()
			m, _ := codec.ParseGoAway(f.Payload)
			switch {
			case err == nil && f.Type == codec.Welcome:
				welcomed.Add(1)
			case err == nil && f.Type == codec.GoAway && m.Code == codec.CodeFull:
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
