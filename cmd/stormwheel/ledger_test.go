package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/client"
	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/server"
)

// asLedger has the test binary be a node at the address that it names, which says on its standard
// output what its handler is given, before it settles that.
const asLedger = "RUN_TEST_BINARY_AS_LEDGER"

// lineEnd is the end of a whole line of a ledger: what kill -9 has cut off has none. It was not settled,
// since a line comes before that.
const lineEnd = " said"

func runLedger(listen string) error {
	var srv *server.Server
	var err error
	srv, err = server.New(server.Config{Listen: listen, Loops: 2, IDRate: -1, Handler: server.Handler{
		Message: func(s *server.Session, m server.Message) {
			from, number := s.Sender(), m.Number
			fmt.Printf("%s %x %d %s%s\n", from.ID, from.Incarnation, number, m.Body, lineEnd)
			switch number % 3 {
			case 0:
				_ = s.AckRange(number, number, 1)
			case 1:
				_ = s.Nack(number, codec.NackRefused, "one in three")
			default:
				time.AfterFunc(time.Duration(rand.Int64N(int64(50*time.Millisecond))), func() {
					_ = srv.AckRange(from, number, number, 2)
				})
			}
		}}})
	if err != nil {
		return err
	}
	if err := srv.Start(); err != nil {
		return err
	}
	fmt.Println(srv.Addr())
	return srv.Wait()
}

// ledgers are what the handlers of all runs of all nodes were given.
type ledgers struct {
	t  *testing.T
	wg sync.WaitGroup

	mu   sync.Mutex
	runs []map[string]int // a node's from its start to its end: how often each line
	torn []string         // what followed the last whole line of a run
}

// start begins a run of a node, on the address that it says.
func (l *ledgers) start(listen string) (p *process, addr string) {
	l.t.Helper()
	p = start(l.t, []string{asLedger + "=" + listen}, os.Args[0])
	addr = p.line()
	run := make(map[string]int)
	l.mu.Lock()
	l.runs = append(l.runs, run)
	l.mu.Unlock()
	l.wg.Go(func() { l.read(p.lines, run) })
	return p, addr
}

// read notes what a run says. Only its last line may be torn.
func (l *ledgers) read(lines <-chan string, run map[string]int) {
	torn := ""
	for line := range lines {
		key, whole := strings.CutSuffix(line, lineEnd)
		l.mu.Lock()
		if torn != "" {
			l.t.Errorf("after %q, which is no whole line, comes %q", torn, line)
		}
		if whole {
			run[key]++
		} else {
			torn = line
			l.torn = append(l.torn, line)
		}
		l.mu.Unlock()
	}
}

// kill ends a run without a word; what it had said is all read.
func (l *ledgers) kill(p *process) {
	p.signal(syscall.SIGKILL)
	<-p.done
}

// cutter is a client's Dial whose connections somebody breaks.
type cutter struct {
	mu   sync.Mutex
	open []net.Conn
}

func (c *cutter) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	nc, err := new(net.Dialer).DialContext(ctx, network, addr)
	if err == nil {
		c.mu.Lock()
		c.open = append(c.open, nc)
		c.mu.Unlock()
	}
	return nc, err
}

// cut breaks what is open: at once, or so that what is on its way is still read.
func (c *cutter) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, nc := range c.open {
		if rand.IntN(2) == 0 {
			_ = nc.(*net.TCPConn).SetLinger(0)
		}
		_ = nc.Close()
	}
	c.open = nil
}

// Ten clients send a thousand messages each while their connections are cut and each node is killed once
// (kill -9) and comes again. Each message is settled once at its caller; the ledgers of all runs together
// have each at least once, and none has one twice.
func TestNoRunHandlesAMessageTwiceAndNoneIsLost(t *testing.T) {
	const clients, messages = 10, 1000
	books := &ledgers{t: t}
	addrs := freePorts(t, 2) // they come back there
	a, first := books.start(addrs[0])
	b, second := books.start(addrs[1])
	ctx, stop := context.WithCancel(t.Context())
	var ran sync.WaitGroup
	defer func() { stop(); ran.Wait() }()

	var settled atomic.Int64
	var mu sync.Mutex
	told := make(map[string]string) // what became of each message
	for i := range clients {
		var own cutter
		var c *client.Client
		id := fmt.Sprint("client-", i)
		cfg := client.Config{Endpoints: []string{first, second}, ID: id, Dial: own.dial,
			Policy: client.Fixed, BackoffMin: 20 * time.Millisecond,
			Settled: func(number uint64, o client.Outcome) {
				key := fmt.Sprintf("%s %x %d body %d", id, c.Info().Incarnation, number, number)
				mu.Lock()
				defer mu.Unlock()
				if was := told[key]; was != "" {
					t.Errorf("%s is settled twice: %s and then %v", key, was, o.Err)
				}
				told[key] = fmt.Sprint(o.What, o.Err)
				settled.Add(1)
			}}
		var err error
		if c, err = client.New(cfg); err != nil {
			t.Fatal(err)
		}
		ran.Go(func() { _ = c.Run(ctx) })
		ran.Go(func() {
			for n := range messages {
				if _, err := c.Send(ctx, fmt.Appendf(nil, "body %d", n+1)); err != nil {
					return
				}
				time.Sleep(time.Millisecond) // or all would be over before anything happens
			}
		})
		ran.Go(func() {
			for ctx.Err() == nil {
				select {
				case <-ctx.Done():
				case <-time.After(time.Duration(50+rand.IntN(200)) * time.Millisecond):
					own.cut()
				}
			}
		})
	}
	until := func(n int64) {
		t.Helper()
		for deadline := time.Now().Add(patience); settled.Load() < n; time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%d of %d messages are settled after %v, want %d", settled.Load(), clients*messages, patience, n)
			}
		}
	}
	until(clients * messages / 5)
	books.kill(a)
	a, _ = books.start(first)
	until(clients * messages / 2)
	books.kill(b)
	b, _ = books.start(second)
	until(clients * messages)
	stop()
	ran.Wait()
	books.kill(a)
	books.kill(b)
	books.wg.Wait()
	books.check(told, clients*messages)
}

// check holds the ledgers against what the callers were told.
func (l *ledgers) check(told map[string]string, messages int) {
	all, more := make(map[string]int), 0
	for i, run := range l.runs {
		for line, n := range run {
			all[line]++
			if n > 1 {
				l.t.Errorf("run %d has %d times: %s", i, n, line)
			}
		}
	}
	for key, how := range told {
		if all[key] == 0 {
			l.t.Errorf("%s is %s, and in no ledger", key, how)
		}
		more += all[key] - 1
		var number int
		fields := strings.Fields(key)
		_, _ = fmt.Sscan(fields[2], &number)
		want := [...]string{"1 <nil>", "0 client: message is refused", "2 <nil>"}[number%3]
		if !strings.HasPrefix(how, want) {
			l.t.Errorf("%s: its caller was told %q, want %q", key, how, want)
		}
	}
	if len(told) != messages || len(all) != messages || len(l.runs) != 4 {
		l.t.Errorf("%d of %d messages are settled, %d in the ledgers of %d runs", len(told), messages, len(all), len(l.runs))
	}
	l.t.Logf("%d messages, of which other runs had %d again; torn: %q", len(told), more, l.torn)
}

// A node that is killed while it writes a line has not lost the message: it has not settled it.
func TestALedgerLineThatKillTearsIsNoMessage(t *testing.T) {
	lines := make(chan string, 3)
	for _, line := range []string{"a 7 1 body 1" + lineEnd, "a 7 2 body 2" + lineEnd, "a 7 3 bod"} {
		lines <- line
	}
	close(lines)
	books, run := &ledgers{t: t}, make(map[string]int)
	books.read(lines, run)
	if len(run) != 2 || run["a 7 2 body 2"] != 1 || len(books.torn) != 1 {
		t.Errorf("lines %v, torn %q", run, books.torn)
	}
}
