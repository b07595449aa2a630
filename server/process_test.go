package server

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

// Tests in this file need a node that can be stopped, starved and killed: the test binary
// itself, started again with its orders in this variable.
const childOrders = "STORMWHEEL_TEST_NODE"

type orders struct {
	Descriptors uint64 // limit, 0: unchanged
	Hog         bool   // be no node but burn a CPU until killed
	Nice        bool   // run at the lowest priority
	Crowd       int    // be no node but that many clients of the one at Node
	Node        string
	AdmitRate   float64
	Loops       int // 0: two
	Config      struct{ Heartbeat, Timeout, Tick time.Duration }
}

// runChild is the child's main.
func runChild(text string) int {
	var o orders
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	if o.Hog {
		return burn()
	}
	if o.Crowd > 0 {
		return runCrowd(o.Node, o.Crowd)
	}
	if o.Descriptors > 0 {
		limit := syscall.Rlimit{Cur: o.Descriptors, Max: o.Descriptors}
		if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 2
		}
	}
	def(&o.Loops, 2)
	s, err := New(Config{Listen: "127.0.0.1:0", Loops: o.Loops, IDRate: -1, AdmitRate: o.AdmitRate, Handler: Handler{Message: sleepAsTold},
		Heartbeat: o.Config.Heartbeat, Timeout: o.Config.Timeout, Tick: o.Config.Tick})
	if err == nil {
		err = s.Start()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	fmt.Println(s.Addr())
	go func() { // a number has it take all descriptors but that many; every line asks for the counters
		var taken hoard
		for in := bufio.NewScanner(os.Stdin); in.Scan(); {
			taken.obey(in.Text())
			fmt.Println(string(childLine(s, in.Text())))
		}
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		s.Stop(ctx)
	}()
	if err := s.Wait(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 3
	}
	return 0
}

// child is a node in a process of its own.
type child struct {
	t    *testing.T
	cmd  *exec.Cmd
	in   interface{ Write([]byte) (int, error) }
	out  *bufio.Scanner
	addr string
}

func startChild(t *testing.T, o orders) *child {
	t.Helper()
	text, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	if o.Nice {
		cmd = exec.Command("nice", "-n", "19", os.Args[0])
	}
	cmd.Env = append(os.Environ(), childOrders+"="+string(text))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	c := &child{t: t, cmd: cmd, in: in, out: bufio.NewScanner(out)}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	if !c.out.Scan() {
		t.Fatal("the node did not start")
	}
	c.addr = c.out.Text()
	return c
}

type childStats struct {
	Conns, Sessions, Refused, Evictions uint64
	MaxConns                            int     `json:"max_conns"`
	Averted                             uint64  `json:"evictions_averted"`
	Held                                float64 `json:"clock_held_seconds"`
	Stretch                             int     `json:"terms_stretch"`
	Closes                              map[string]uint64
}

func (c *child) stats() (st childStats) {
	c.t.Helper()
	fmt.Fprintln(c.in)
	if !c.out.Scan() {
		c.t.Fatal("the node is gone")
	}
	if err := json.Unmarshal(c.out.Bytes(), &st); err != nil {
		c.t.Fatal(err)
	}
	return st
}

func (c *child) join(id string) (*wire, codec.Frame) {
	c.t.Helper()
	conn, err := net.Dial("tcp", c.addr)
	if err != nil {
		c.t.Fatal(err)
	}
	conn.SetDeadline(time.Now().Add(30 * time.Second))
	c.t.Cleanup(func() { conn.Close() })
	w := &wire{t: c.t, Conn: conn}
	w.Write(helloFrame(id)) // may fail when the node has refused already
	f, err := w.next()
	if err != nil {
		c.t.Fatalf("client %s was answered by nothing but %v", id, err)
	}
	return w, f
}

// A node under a limit of 256 descriptors meets 600 clients.
func TestDescriptorLimitRefusesTheExcessAndServesLater(t *testing.T) {
	c := startChild(t, orders{Descriptors: 256})
	c.leavesNothing()
	var in []*wire
	refused := 0
	for i := range 600 {
		w, f := c.join(fmt.Sprint("c", i))
		switch f.Type {
		case codec.Welcome:
			in = append(in, w)
		case codec.GoAway:
			if m, _ := codec.ParseGoAway(f.Payload); m.Code != codec.CodeFull {
				t.Fatalf("refused with %v, want full", m.Code)
			}
			refused++
			w.Close()
		default:
			t.Fatalf("answered by %v", f.Type)
		}
	}
	if len(in) < 150 || len(in) > 224 || refused != 600-len(in) {
		t.Fatalf("%d admitted and %d refused of 600 under 256 descriptors", len(in), refused)
	}
	in[0].send(codec.AppendPing(nil, 1, 0))
	in[0].want(codec.Pong)
	for _, w := range in[1:51] {
		w.Close()
	}
	eventually(t, "room for 50", func() bool { return c.stats().Conns <= uint64(len(in))-50 })
	for i := range 50 {
		if _, f := c.join(fmt.Sprint("late", i)); f.Type != codec.Welcome {
			t.Fatalf("client %d of 50 that should fit again was answered by %v", i, f.Type)
		}
	}
}

// The same crowd at once rather than one by one.
func TestDescriptorLimitHoldsAgainstASimultaneousCrowd(t *testing.T) {
	c := startChild(t, orders{Descriptors: 256})
	c.leavesNothing()
	var wg sync.WaitGroup
	var welcomed, refused, other atomic.Int64
	release := make(chan struct{})
	for range 600 {
		wg.Go(func() {
			conn, err := net.Dial("tcp", c.addr)
			if err != nil {
				other.Add(1)
				return
			}
			defer conn.Close()
			conn.SetDeadline(time.Now().Add(30 * time.Second))
			conn.Write(helloFrame("crowd"))
			w := &wire{t: t, Conn: conn}
			switch f, err := w.next(); {
			case err != nil:
				other.Add(1)
			case f.Type == codec.Welcome:
				welcomed.Add(1)
				<-release
			case f.Type == codec.GoAway:
				refused.Add(1)
			}
		})
	}
	eventually(t, "everybody has an answer", func() bool { return welcomed.Load()+refused.Load()+other.Load() == 600 })
	close(release)
	wg.Wait()
	if other.Load() != 0 || welcomed.Load() < 150 {
		t.Errorf("%d welcomed, %d refused with GOAWAY, %d ended without a word", welcomed.Load(), refused.Load(), other.Load())
	}
	eventually(t, "everybody has left", func() bool { return c.stats().Conns == 0 })
	if _, f := c.join("after"); f.Type != codec.Welcome {
		t.Fatalf("after the crowd: %v, want WELCOME", f.Type)
	}
}

// When the process itself eats the descriptors, gnet's accept fails and its engine ends.
// That must be an error with a non-zero exit, never a silent end.
func TestEngineDeathAtTheDescriptorLimitIsAnError(t *testing.T) {
	c := startChild(t, orders{Descriptors: 128})
	c.leave(0)
	ended := make(chan error, 1)
	go func() { ended <- c.cmd.Wait() }()
	var err error
	eventually(t, "the node has ended", func() bool {
		if conn, err := net.Dial("tcp", c.addr); err == nil {
			t.Cleanup(func() { conn.Close() })
		}
		select {
		case err = <-ended:
			return true
		default:
			return false
		}
	})
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 3 {
		t.Fatalf("node ended with %v, want the exit code of ErrEngine", err)
	}
}

// A stop of the whole process, under heartbeats, for one, two and three timeouts: whoever
// had spoken in time is kept.
func TestStoppedProcessEvictsNobodyWhosePingsWereWaiting(t *testing.T) {
	const (
		heartbeat = 200 * time.Millisecond
		timeout   = time.Second
		clients   = 200
	)
	o := orders{}
	o.Config.Heartbeat, o.Config.Timeout, o.Config.Tick = heartbeat, timeout, 20*time.Millisecond
	c := startChild(t, o)
	c.leavesNothing()
	var all []*wire
	var wg sync.WaitGroup
	done := make(chan struct{})
	var lost atomic.Int64
	for i := range clients {
		w, f := c.join(fmt.Sprint("c", i))
		if f.Type != codec.Welcome {
			t.Fatalf("answered by %v", f.Type)
		}
		all = append(all, w)
		wg.Go(func() { // speaks, whatever the node does
			beat := time.NewTicker(heartbeat)
			defer beat.Stop()
			for {
				select {
				case <-done:
					return
				case <-beat.C:
					if _, err := w.Write(codec.AppendPing(nil, 1, 0)); err != nil {
						lost.Add(1)
						return
					}
				}
			}
		})
		wg.Go(func() { // reads, so that nobody is a slow consumer
			for {
				if f, err := w.next(); err != nil || f.Type == codec.GoAway {
					return
				}
			}
		})
	}
	for _, pause := range []time.Duration{timeout, 2 * timeout, 3 * timeout} {
		c.cmd.Process.Signal(syscall.SIGSTOP)
		time.Sleep(pause) // the length of the stop is the test
		c.cmd.Process.Signal(syscall.SIGCONT)
		settled := time.Now().Add(timeout + 200*time.Millisecond)
		eventually(t, "the timeout after the stop has passed", func() bool { return time.Now().After(settled) })
		if st := c.stats(); st.Evictions != 0 || st.Sessions != clients || lost.Load() != 0 {
			t.Fatalf("after a stop of %v: %d evicted, %d sessions, %d lost, closes %v", pause, st.Evictions, st.Sessions, lost.Load(), st.Closes)
		}
	}
	if st := c.stats(); st.Held < 5 {
		t.Errorf("%.1f s were held, want about 6", st.Held)
	}
	close(done)
	for _, w := range all {
		w.Close()
	}
	wg.Wait()
}
