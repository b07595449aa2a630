package benchtest

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

// Node is a server by the book, a goroutine a connection, whose misbehaviour is set
// by fields before it listens.
type Node struct {
	Name       string
	Terms      codec.Terms
	Alternates string

	// Meet deals with the n-th connection (from 1) instead of the book. It reports
	// whether it did; the connection is closed then.
	Meet func(c *net.TCPConn, n int) bool
	// EvictAfter is the silence after which a client is closed; 0: the timeout of terms.
	EvictAfter time.Duration
	Farewell   bool // a GOAWAY precedes an eviction
	NoPong     bool
	Dumb       atomic.Bool   // no PONG from now on
	Delay      time.Duration // of every PONG

	l        net.Listener
	Accepted atomic.Int64
	mu       sync.Mutex
	open     map[net.Conn]bool
	served   sync.WaitGroup
}

// ShortTerms are the terms of a Node that says none.
var ShortTerms = codec.Terms{Interval: 200 * time.Millisecond, Timeout: 600 * time.Millisecond, Window: 300 * time.Millisecond}

// Start has a node listen on a free port of 127.0.0.1 until the test is over.
func Start(t *testing.T, f *Node) *Node {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f.Serve(l)
	t.Cleanup(f.Stop)
	return f
}

// Addr is where it listens.
func (f *Node) Addr() string { return f.l.Addr().String() }

// Serve takes connections from l, until Stop.
func (f *Node) Serve(l net.Listener) {
	f.l, f.open = l, map[net.Conn]bool{}
	if f.Terms == (codec.Terms{}) {
		f.Terms = ShortTerms
	}
	f.served.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			f.mu.Lock()
			f.open[c] = true
			f.mu.Unlock()
			f.served.Go(func() {
				f.talk(c.(*net.TCPConn), int(f.Accepted.Add(1)))
				c.Close()
				f.mu.Lock()
				delete(f.open, c)
				f.mu.Unlock()
			})
		}
	})
}

// Conns is how many connections it has.
func (f *Node) Conns() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.open)
}

// Stop closes the listener and all connections, and waits for their ends.
func (f *Node) Stop() {
	f.l.Close()
	f.mu.Lock()
	for c := range f.open {
		c.Close()
	}
	f.mu.Unlock()
	f.served.Wait()
}

// drain tells all to go, rate a second, and returns when they have gone. A rude one closes
// instead.
func (f *Node) drain(rate float64, rude bool) {
	f.l.Close()
	f.mu.Lock()
	all := slices.Collect(maps.Keys(f.open))
	f.mu.Unlock()
	for _, c := range all {
		if rude {
			c.Close()
		}
		_, _ = c.Write(GoAway(codec.CodeDraining))
		time.Sleep(time.Duration(float64(time.Second) / rate))
	}
	for f.Conns() > 0 {
		time.Sleep(time.Millisecond)
	}
}

// Welcome is the frame.
func (f *Node) Welcome() []byte {
	b, err := codec.AppendWelcome(nil, &codec.WelcomeMessage{Version: codec.ProtocolVersion, Terms: f.Terms,
		ServerTime: time.Now(), Node: []byte(f.Name), Alternates: []byte(f.Alternates)})
	if err != nil {
		panic(err)
	}
	return b
}

// GoAway is the frame, with nothing but a code.
func GoAway(code codec.Code) []byte {
	b, err := codec.AppendGoAway(nil, &codec.GoAwayMessage{Code: code})
	if err != nil {
		panic(err)
	}
	return b
}

func (f *Node) talk(c *net.TCPConn, n int) {
	if f.Meet != nil && f.Meet(c, n) {
		return
	}
	patience := f.EvictAfter
	if patience == 0 {
		patience = f.Terms.Timeout
	}
	r := bufio.NewReader(c)
	for {
		_ = c.SetReadDeadline(time.Now().Add(patience))
		frame, err := ReadFrame(r)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			if f.Farewell {
				_, _ = c.Write(GoAway(codec.CodeHeartbeatTimeout))
			}
			return
		}
		if err != nil {
			return
		}
		switch frame.Type {
		case codec.Hello:
			_, err = c.Write(f.Welcome())
		case codec.Ping:
			token, _, _ := codec.ParsePing(frame.Payload)
			if !f.NoPong && !f.Dumb.Load() {
				time.Sleep(f.Delay)
				_, err = c.Write(codec.AppendPong(nil, codec.PongMessage{Token: token, Terms: f.Terms}))
			}
		case codec.Bye:
			return
		}
		if err != nil {
			return
		}
	}
}

// ReadFrame reads one frame; its payload is its own.
func ReadFrame(r *bufio.Reader) (codec.Frame, error) {
	size := codec.HeaderLen
	for {
		b, err := r.Peek(size)
		if err != nil {
			return codec.Frame{}, err
		}
		f, need, err := codec.Decode(b, codec.MaxPayload)
		if errors.Is(err, codec.ErrIncomplete) {
			size = need
			continue
		}
		if err != nil {
			return codec.Frame{}, err
		}
		f.Payload = append([]byte(nil), f.Payload...)
		_, err = r.Discard(need)
		return f, err
	}
}

// AsServe, in the environment, makes the test binary a `serve` child; its value says what
// kind.
const AsServe = "BENCH_TEST_SERVE"

// Main is the main of a test binary, which also is that of its children: of workers, and of
// nodes of a kind.
func Main(m *testing.M, work func(in io.Reader, out io.Writer) error) {
	if len(os.Args) > 1 && os.Args[1] == "bench-worker" {
		if err := work(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	if kind := os.Getenv(AsServe); kind != "" {
		serve(kind, os.Args[1:])
		return
	}
	os.Exit(m.Run())
}

// serve is a child with the flags and the ready line of `serve`.
func serve(kind string, args []string) {
	f := &Node{Farewell: true}
	flags := flag.NewFlagSet("serve", flag.ExitOnError)
	flags.StringVar(&f.Name, "node", "", "")
	listen := flags.String("listen", "", "")
	flags.StringVar(&f.Alternates, "alternates", "", "")
	flags.DurationVar(&f.Terms.Interval, "heartbeat", 0, "")
	flags.DurationVar(&f.Terms.Timeout, "timeout", 0, "")
	admit := flags.Float64("admit-rate", 2000, "")
	grace := flags.Duration("drain-grace", 0, "")
	rate := flags.Float64("failover-rate", 2000, "")
	for _, ignored := range []string{"admin", "tick"} {
		_ = flags.String(ignored, "", "")
	}
	if err := flags.Parse(args); err != nil {
		os.Exit(2)
	}
	if v, set := os.LookupEnv("STORMWHEEL_NODE"); set {
		fmt.Fprintln(os.Stderr, "STORMWHEEL_NODE is", v)
		os.Exit(1)
	}
	if kind == "wrong-flag" {
		fmt.Fprintln(os.Stderr, "stormwheel: unknown flag --foo")
		os.Exit(2)
	}
	if kind == "second-broken" && f.Name == "n2" {
		fmt.Fprintln(os.Stderr, "first words\nlast words")
		os.Exit(1)
	}
	f.Terms.Window = time.Duration(100 / *admit * float64(time.Second))
	l, err := net.Listen("tcp4", *listen)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	admin, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		os.Exit(1)
	}
	hoarded := 0
	if kind == "hoarder" { // keeps count of all that ever came
		hoarded = 1
	}
	if kind == "full" { // takes its first fifty, and nobody after
		f.Meet = func(c *net.TCPConn, n int) bool { return n > 50 }
	}
	if kind == "shy" { // closes every third before it is welcomed
		f.Meet = func(c *net.TCPConn, n int) bool { return n%3 == 0 }
	}
	f.Serve(l)
	go http.Serve(admin, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		json.NewEncoder(w).Encode(map[string]int{"conns": f.Conns() + hoarded*(int(f.Accepted.Load())-f.Conns())})
	}))
	fmt.Printf("stormwheel ready node=%s listen=%s admin=%s pid=%d\n", f.Name, l.Addr(), admin.Addr(), os.Getpid())
	drain := make(chan os.Signal, 1)
	signal.Notify(drain, syscall.SIGTERM)
	go func() {
		<-drain
		time.Sleep(*grace)
		f.drain(*rate, kind == "rude")
		os.Exit(0)
	}()
	if after, err := strconv.Atoi(kind); err == nil { // dies unasked when it holds that many
		for f.Conns() < after {
			time.Sleep(time.Millisecond)
		}
		fmt.Fprintln(os.Stderr, "last words")
		os.Exit(7)
	}
	select {}
}

// Patience bounds every wait of the tests.
const Patience = 20 * time.Second

// WaitFor waits until cond holds, at most for Patience.
func WaitFor(t *testing.T, what string, cond func() bool) {
	t.Helper()
	for deadline := time.Now().Add(Patience); !cond(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", Patience, what)
		}
	}
}
