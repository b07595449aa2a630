package server

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime/debug"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/siege"
)

// Tests that need a node which can be stopped, starved, killed or looked at start the test
// binary again, with its orders in this variable.
const childOrders = "STORMWHEEL_TEST_NODE"

// orders are for a process: to be a node, unless they name something else.
type orders struct {
	Hog     bool   // burn a CPU until killed
	Crowd   int    // be that many clients of the one at Node, until the input ends
	Beating int    // be that many clients which speak until they are killed
	Node    string // host and port

	Descriptors uint64 // limit; 0: unchanged

	// Of Config. Zero is its default, but two loops and no IDRate.
	Listen                                     string
	Loops                                      int
	Heartbeat, Timeout, Tick                   time.Duration
	HelloTimeout, PartialTimeout, WriteTimeout time.Duration
	MaxConns, MaxFrameRate, AddrConns          int
	AdmitRate, IDRate                          float64
	Secret                                     []byte // nil: nobody needs a token
	By                                         string // of transports; "": plain TCP
}

func (o orders) config() (Config, error) {
	def(&o.Listen, "127.0.0.1:0")
	def(&o.Loops, 2)
	def(&o.IDRate, -1)
	cfg := Config{Listen: o.Listen, Loops: o.Loops, Heartbeat: o.Heartbeat, Timeout: o.Timeout, Tick: o.Tick,
		HelloTimeout: o.HelloTimeout, PartialTimeout: o.PartialTimeout, WriteTimeout: o.WriteTimeout,
		MaxConns: o.MaxConns, MaxFrameRate: o.MaxFrameRate, AddrConns: o.AddrConns,
		AdmitRate: o.AdmitRate, IDRate: o.IDRate, DrainGrace: -1, Alternates: elsewhere}
	if configure := transports[o.By].Config; configure != nil {
		configure(&cfg)
	}
	var err error
	if len(o.Secret) > 0 {
		cfg.Auth, err = NewHMACAuth(o.Secret)
	}
	return cfg, err
}

// runChild is the child's main.
func runChild(text string) int {
	var o orders
	err := json.Unmarshal([]byte(text), &o)
	switch {
	case err != nil:
	case o.Hog:
		return burn()
	case o.Crowd > 0:
		return runCrowd(o.Node, o.Crowd)
	case o.Beating > 0:
		err = runBeating(o)
	default:
		err = runNode(o)
	}
	switch {
	case err == nil:
		return 0
	case errors.Is(err, ErrEngine):
		fmt.Fprintln(os.Stderr, err)
		return 3
	}
	fmt.Fprintln(os.Stderr, err)
	return 2
}

// runNode prints the node's address, then what it says of itself for every line of input, after
// it has done what the line says, and ends with the input.
func runNode(o orders) error {
	if o.Descriptors > 0 {
		limit := syscall.Rlimit{Cur: o.Descriptors, Max: o.Descriptors}
		if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
			return err
		}
	}
	cfg, err := o.config()
	if err != nil {
		return err
	}
	var app siege.App[Ref]
	cfg.Handler = besieged(&app)
	s, err := New(cfg)
	if err != nil {
		return err
	}
	if err := s.Start(); err != nil {
		return err
	}
	ended, end := context.WithCancel(context.Background())
	go app.Push(ended, func(to Ref, body []byte) { _ = s.Deliver(to, body) })
	fmt.Println(s.Addr())
	go func() {
		var taken hoard
		for in := bufio.NewScanner(os.Stdin); in.Scan(); {
			fmt.Println(string(s.obey(in.Text(), &taken)))
		}
		end()
		s.Stop(ended)
	}()
	return s.Wait()
}

// obey does what a line says, and answers with the counters, or all of a report.
func (s *Server) obey(line string, taken *hoard) (answer []byte) {
	switch line {
	case "gc":
		debug.FreeOSMemory()
	case "stop":
		go s.Stop(context.Background())
	case "drain":
		go s.Drain(context.Background())
	case "report":
	default: // a number has it take all descriptors but that many
		taken.obey(line)
		answer, _ = json.Marshal(s.exact())
		return answer
	}
	answer, _ = json.Marshal(s.report())
	return answer
}

// child is a process that was given orders, and what it serves if it is a node.
type child struct {
	siege.Target
	t     *testing.T
	cmd   *exec.Cmd
	in    io.Writer
	out   *os.File
	lines *bufio.Reader
}

// startChild returns when the child has said its first line, which is a node's address.
func startChild(t *testing.T, o orders, how ...func(*exec.Cmd)) *child {
	t.Helper()
	o.By = transportOf(t).Name
	if transportOf(t).Unix {
		o.Listen = unixAddr(t)
	}
	text, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	c := &child{t: t, cmd: exec.Command(os.Args[0])}
	c.Stage = transportOf(t).Client
	c.cmd.Env = append(os.Environ(), childOrders+"="+string(text))
	c.cmd.Stderr = os.Stderr
	for _, f := range how {
		f(c.cmd)
	}
	if c.in, err = c.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	c.out, c.lines = out.(*os.File), bufio.NewReader(out)
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.cmd.Process.Kill()
		c.cmd.Wait()
	})
	c.Addr = c.line()
	return c
}

// in has a child run behind other words of a command.
func in(words ...string) func(*exec.Cmd) {
	return func(cmd *exec.Cmd) {
		cmd.Args = append(words[:len(words):len(words)], cmd.Path)
		cmd.Path, cmd.Err = exec.LookPath(words[0])
	}
}

func (c *child) line() string {
	c.t.Helper()
	c.out.SetReadDeadline(time.Now().Add(time.Minute))
	line, err := c.lines.ReadString('\n')
	if err != nil {
		c.t.Fatalf("the child is gone or stuck: %v", err)
	}
	return strings.TrimSpace(line)
}

// ask says a line and decodes the answer.
func (c *child) ask(line string, answer any) {
	c.t.Helper()
	fmt.Fprintln(c.in, line)
	if err := json.Unmarshal([]byte(c.line()), answer); err != nil {
		c.t.Fatal(err)
	}
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
	c.ask("", &st)
	return st
}

// join says HELLO and returns the answer, whatever it is.
func (c *child) join(id string) (*wire, codec.Frame) {
	c.t.Helper()
	w := dial(c.t, &c.Target)
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
	r := siege.Rush(t.Context(), &c.Target, 600, 600)
	for _, p := range r.In {
		p.Close()
	}
	if len(r.Failed) != 0 || len(r.In) < 150 {
		t.Errorf("%d welcomed, %v refused with GOAWAY, %q ended without a word", len(r.In), r.Refused, r.Failed)
	}
	eventually(t, "everybody has left", func() bool { return c.stats().Conns == 0 })
	if _, f := c.join("after"); f.Type != codec.Welcome {
		t.Fatalf("after the crowd: %v, want WELCOME", f.Type)
	}
}

// When the process itself eats the descriptors, gnet's accept fails and its engine ends.
// That must be an error with a non-zero exit, never a silent end.
func TestEngineDeathAtTheDescriptorLimitIsAnError(t *testing.T) {
	var said strings.Builder
	c := startChild(t, orders{Descriptors: 128}, func(cmd *exec.Cmd) { cmd.Stderr = &said })
	c.leave(0)
	ended := make(chan error, 1)
	go func() { ended <- c.cmd.Wait() }()
	var err error
	eventually(t, "the node has ended", func() bool {
		if conn, err := net.Dial("tcp", c.Addr); err == nil {
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
		t.Fatalf("node ended with %v, want the exit code of ErrEngine; it said\n%s", err, said.String())
	}
	if !strings.HasSuffix(said.String(), ErrEngine.Error()+"\n") {
		t.Errorf("the last that the node said is not why it ended:\n%s", said.String())
	}
}

// A stop of the whole process, under heartbeats, for one, two and three timeouts: whoever
// had spoken in time is kept.
func TestStoppedProcessEvictsNobodyWhosePingsWereWaiting(t *testing.T) {
	t.Parallel() // it waits most of the time
	const (
		heartbeat = 200 * time.Millisecond
		timeout   = time.Second
	)
	clients := 200
	if transportOf(t).Name == "tls" {
		clients = 40 // under the race detector a node opens a record a hundred times more slowly
	}
	c := startChild(t, orders{Heartbeat: heartbeat, Timeout: timeout, Tick: 20 * time.Millisecond})
	c.leavesNothing()
	speaking, hush := context.WithCancel(t.Context())
	defer hush()
	type beaten struct {
		longest time.Duration // that a client was silent
		err     error
	}
	spoke := make(chan beaten, clients)
	for i := range clients { // each speaks from its first moment on, whatever the node does, and the others
		r := siege.Rush(t.Context(), &c.Target, 1, 1)
		if len(r.In) != 1 {
			t.Fatalf("client %d of %d did not come in: %v, %q", i, clients, r.Refused, r.Failed)
		}
		go func() {
			longest, err := siege.Beat(speaking, r.In, heartbeat)
			spoke <- beaten{longest, err}
		}()
	}
	silence := func() (longest time.Duration, err error) {
		hush()
		for range clients {
			b := <-spoke
			longest, err = max(longest, b.longest), errors.Join(err, b.err)
		}
		return longest, err
	}
	for _, pause := range []time.Duration{timeout, 2 * timeout, 3 * timeout} {
		c.cmd.Process.Signal(syscall.SIGSTOP)
		time.Sleep(pause) // the length of the stop is the test
		c.cmd.Process.Signal(syscall.SIGCONT)
		settled := time.Now().Add(timeout + 200*time.Millisecond)
		eventually(t, "the timeout after the stop has passed", func() bool { return time.Now().After(settled) })
		if st := c.stats(); st.Evictions != 0 || st.Sessions != uint64(clients) || len(spoke) != 0 {
			quiet := len(spoke)
			if longest, _ := silence(); longest >= timeout {
				t.Skipf("this process was so slow that a client was silent for %v", longest)
			}
			t.Fatalf("after a stop of %v: %d evicted, %d sessions, %d could not speak, closes %v", pause, st.Evictions, st.Sessions, quiet, st.Closes)
		}
	}
	if st := c.stats(); st.Held < 5 {
		t.Errorf("%.1f s were held, want about 6", st.Held)
	}
	if _, err := silence(); err != nil {
		t.Errorf("a client could not speak: %v", err)
	}
}
