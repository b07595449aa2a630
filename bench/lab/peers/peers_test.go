package peers

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"

	"github.com/stormwheel/stormwheel/bench/lab/kit"
	"github.com/stormwheel/stormwheel/codec"
)

// The test binary is the command too, so that servers run in processes of their own.
func TestMain(m *testing.M) {
	if len(os.Args) < 2 || os.Args[1] != "serve" {
		os.Exit(m.Run())
	}
	var cmd struct {
		Serve Serve `cmd:""`
	}
	if err := kong.Parse(&cmd).Run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

const (
	testHeartbeat = 500 * time.Millisecond
	testTimeout   = 3 * time.Second
)

func serveForTest(t *testing.T, k Kind) *Server {
	t.Helper()
	if why := k.absent(); why != "" {
		t.Skipf("%s: %s", k.Name, why)
	}
	p, err := Start(t.Context(), k.Name, "--heartbeat", testHeartbeat.String(), "--timeout", testTimeout.String(), "--tick", "50ms")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

func dialForTest(t *testing.T, p *Server) *client {
	t.Helper()
	conn, err := net.Dial("tcp", p.Addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &client{t: t, conn: conn, in: bufio.NewReader(conn)}
}

type client struct {
	t    *testing.T
	conn net.Conn
	in   *bufio.Reader
}

func (c *client) write(b []byte) {
	c.t.Helper()
	if _, err := c.conn.Write(b); err != nil {
		c.t.Fatal(err)
	}
}

// frame reads one frame; nil is the end of the connection.
func (c *client) frame(patience time.Duration) *codec.Frame {
	c.t.Helper()
	_ = c.conn.SetReadDeadline(time.Now().Add(patience))
	for {
		b, err := c.in.Peek(max(c.in.Buffered(), codec.HeaderLen))
		if f, size, bad := codec.Decode(b, codec.MaxPayload); bad == nil {
			f.Payload = bytes.Clone(f.Payload)
			_, _ = c.in.Discard(size)
			return &f
		} else if !errors.Is(bad, codec.ErrIncomplete) {
			c.t.Fatal(bad)
		} else if err == nil {
			_, err = c.in.Peek(size)
		}
		switch {
		case err == nil:
		case errors.Is(err, os.ErrDeadlineExceeded):
			c.t.Fatalf("nothing came within %v", patience)
		default: // a reset is an end too
			return nil
		}
	}
}

func (c *client) hello() {
	c.t.Helper()
	hello, err := codec.AppendHello(nil, &codec.HelloMessage{MinVersion: 1, MaxVersion: 1, ClientID: []byte("test")})
	if err != nil {
		c.t.Fatal(err)
	}
	c.write(hello)
	f := c.frame(patience)
	if f == nil || f.Type != codec.Welcome {
		c.t.Fatalf("HELLO was answered by %v, want WELCOME", f)
	}
	m, err := codec.ParseWelcome(f.Payload)
	if err != nil || m.Terms.Interval != testHeartbeat || m.Terms.Timeout != testTimeout {
		c.t.Fatalf("WELCOME: terms %+v, error %v; want %v and %v", m.Terms, err, testHeartbeat, testTimeout)
	}
}

// wantPong lets pass what a node says unasked: a loop that is busy, as here beside all the others,
// makes its terms longer, and numbers them from 2 on.
func (c *client) wantPong(token uint64) {
	c.t.Helper()
	for {
		f := c.frame(patience)
		if f == nil || f.Type != codec.Pong {
			c.t.Fatalf("PING was answered by %v, want PONG", f)
		}
		m, err := codec.ParsePong(f.Payload)
		if err == nil && m.Token == 0 && m.Terms.Number > 1 {
			continue
		}
		if err != nil || m.Token != token || m.Terms.Number <= 1 && m.Terms.Timeout != testTimeout {
			c.t.Fatalf("PONG: %+v, error %v; want token %d", m, err, token)
		}
		return
	}
}

func TestEveryPeerWelcomesAndAnswers(t *testing.T) {
	for _, k := range Kinds {
		t.Run(k.Name, func(t *testing.T) {
			t.Parallel()
			p := serveForTest(t, k)
			c := dialForTest(t, p)
			c.hello()
			c.write(codec.AppendPing(nil, 7, 0))
			c.wantPong(7)

			two := codec.AppendPing(codec.AppendPing(nil, 8, 0), 9, 0)
			c.write(two[:len(two)-5]) // the second one in two parts
			first := c.frame(patience)
			if first == nil || first.Type != codec.Pong {
				t.Fatalf("a PING and a half were answered by %v, want PONG", first)
			}
			c.write(two[len(two)-5:])
			if m, err := codec.ParsePong(first.Payload); err != nil || m.Token != 9 {
				c.wantPong(9)
			}
			if n, err := p.Resident(); err != nil || n < 1<<20 {
				t.Errorf("its memory is %d bytes (%v)", n, err)
			}
		})
	}
}

func TestEveryPeerEvictsTheSilentAndKeepsTheOthers(t *testing.T) {
	for _, k := range Kinds {
		t.Run(k.Name, func(t *testing.T) {
			if !k.Evicts {
				t.Skip("the floor evicts nobody")
			}
			t.Parallel()
			p := serveForTest(t, k)
			silent, living := dialForTest(t, p), dialForTest(t, p)
			began := time.Now()
			silent.hello()
			living.hello()
			gone := make(chan time.Duration, 1)
			go func() {
				_ = silent.conn.SetReadDeadline(began.Add(4 * testTimeout))
				_, err := io.Copy(io.Discard, silent.in)
				if errors.Is(err, os.ErrDeadlineExceeded) {
					close(gone)
					return
				}
				gone <- time.Since(began)
			}()
			for token := uint64(1); ; token++ {
				select {
				case after, ok := <-gone:
					if !ok {
						t.Fatalf("it kept a client that was silent for %v", 4*testTimeout)
					}
					// gev counts in whole seconds, and so may be one too early.
					if early := testTimeout - after; early > time.Second || early > 0 && k.Name != "gev" {
						t.Errorf("it evicted after %v, the timeout is %v", after, testTimeout)
					}
					living.write(codec.AppendPing(nil, token, 0))
					living.wantPong(token)
					return
				case <-time.After(testHeartbeat):
					living.write(codec.AppendPing(nil, token, 0))
					living.wantPong(token)
				}
			}
		})
	}
}

func TestAnAnswerAllocatesNothing(t *testing.T) {
	d, err := newDesk(&Serve{Kind: "test", Heartbeat: testHeartbeat, Timeout: testTimeout})
	if err != nil {
		t.Fatal(err)
	}
	ping := codec.AppendPing(nil, 1, 0)
	allocs := testing.AllocsPerRun(1000, func() {
		out := d.borrow()
		*out, _, _ = d.answer(*out, ping)
		d.giveBack(out)
	})
	if allocs >= 1 { // the pool may lose its buffer to a collection
		t.Errorf("a PONG allocates %v times, want 0: the floor would not be one", allocs)
	}
}

// A server whose parent is gone must not go on.
func TestAServerEndsWithItsInput(t *testing.T) {
	for _, kind := range []string{Ours, Accept} {
		c, in, err := kit.Command("serve", kind, "--commands")
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := c.Start(t.Context(), patience); err != nil {
			t.Fatal(err)
		}
		if err := in.Close(); err != nil { // as the kernel does when the parent dies
			t.Fatal(err)
		}
		select {
		case <-c.Done():
		case <-time.After(30 * time.Second):
			t.Errorf("%s goes on", kind)
		}
	}
}

// Mosquitto is no peer of the tables: it speaks MQTT, and becomes another program when it is started.
func TestMosquittoIsReadyWhenItListensAndLeavesNoFile(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	k, _ := Of(Mosquitto)
	p := serveForTest(t, k)
	conn, err := net.Dial("tcp", p.Addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	connect := append([]byte{0x10, 16, 0, 4}, "MQTT\x04\x02\x00\x3c\x00\x04test"...)
	if _, err := conn.Write(connect); err != nil {
		t.Fatal(err)
	}
	_ = conn.SetReadDeadline(time.Now().Add(patience))
	answer := make([]byte, 4)
	if _, err := io.ReadFull(conn, answer); err != nil || !bytes.Equal(answer, []byte{0x20, 2, 0, 0}) {
		t.Errorf("CONNECT was answered by % x, %v; want CONNACK, accepted", answer, err)
	}
	if left, err := os.ReadDir(os.TempDir()); err != nil || len(left) > 0 {
		t.Errorf("%v, %v are left", left, err)
	}
}

func TestMosquittosReadyLineNamesTheBroker(t *testing.T) {
	if why := mosquittoMissing(); why != "" {
		t.Skip(why)
	}
	t.Setenv("TMPDIR", t.TempDir())
	c, _, err := kit.Command("serve", Mosquitto)
	if err != nil {
		t.Fatal(err)
	}
	ready, err := c.Start(t.Context(), patience)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if !strings.HasSuffix(strings.TrimSpace(ready), fmt.Sprintf(" pid=%d", c.PID)) {
		t.Errorf("it said %q of process %d", ready, c.PID)
	}
}
