package heartbeats

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/stormwheel/stormwheel/client"
	"github.com/stormwheel/stormwheel/server"
)

// node is one of ours in this process.
type node struct {
	srv    *server.Server
	opened chan server.Ref
	closed chan struct{}
	last   server.Ref
}

func newNode(at string, heartbeat, timeout time.Duration) (*node, error) {
	n := &node{opened: make(chan server.Ref, 1), closed: make(chan struct{}, 1)}
	var err error
	n.srv, err = server.New(server.Config{Listen: at, Loops: 1, Heartbeat: heartbeat, Timeout: timeout, Tick: 100 * time.Millisecond,
		Handler: server.Handler{Opened: func(s *server.Session) { n.opened <- s.Ref() }, Closed: func(*server.Session, server.Reason) { n.closed <- struct{}{} }}})
	if err != nil {
		return nil, err
	}
	return n, n.srv.Start()
}

// awaitOne waits for its client.
func (n *node) awaitOne() { n.last = <-n.opened }

func (n *node) ref() server.Ref { return n.last }

// watch tells when the node evicts its client, counted from the fault.
func (n *node) watch(f *figures, name string, fault <-chan struct{}) {
	<-fault
	began := time.Now()
	select {
	case <-n.closed:
		f.set(name, time.Since(began).Seconds())
	case <-time.After(patience):
	}
}

// own is a client of ours in this process.
type own struct {
	f    *figures
	c    *client.Client
	lost chan struct{}
}

func newClient(f *figures, cfg client.Config) *own {
	o := &own{f: f, lost: make(chan struct{}, 1)}
	cfg.OnLost = func(client.Loss) {
		select {
		case o.lost <- struct{}{}:
		default:
		}
	}
	c, err := client.New(cfg)
	if err != nil {
		f.fail("client", err)
		return o
	}
	o.c = c
	go func() { _ = c.Run(context.Background()) }()
	return o
}

// watch tells when the client gives its server up, counted from the fault.
func (o *own) watch(name string, fault <-chan struct{}) {
	<-fault
	began := time.Now()
	select {
	case <-o.lost:
		o.f.set(name, time.Since(began).Seconds())
	case <-time.After(patience):
	}
}

// stop freezes a process, and waits until all of its threads stand: the signal alone lets them run on
// for a moment.
func stop(c *exec.Cmd) error {
	if err := c.Process.Signal(syscall.SIGSTOP); err != nil {
		return err
	}
	for until := time.Now().Add(5 * time.Second); time.Now().Before(until); time.Sleep(time.Millisecond) {
		tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", c.Process.Pid))
		if err != nil {
			return err
		}
		running := slices.ContainsFunc(tasks, func(name string) bool {
			b, err := os.ReadFile(name)
			_, rest, _ := strings.Cut(string(b), ") ")
			return err == nil && !strings.HasPrefix(rest, "T")
		})
		if !running && len(tasks) > 0 {
			return nil
		}
	}
	return errors.New("it does not stop")
}

// startProgram starts stormwheel, whose standard input stays open.
func startProgram(bin string, words ...string) (*exec.Cmd, error) {
	c := exec.Command(bin, words...)
	c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if _, err := c.StdinPipe(); err != nil {
		return nil, err
	}
	return c, c.Start()
}

// startServe starts a node in another process.
func startServe(bin string) (c *exec.Cmd, addr string, err error) {
	c = exec.Command(bin, "serve", "--listen", "127.0.0.1:0", "--heartbeat", "1s", "--timeout", "60s", "--no-echo", "--log-level", "error")
	c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := c.StdoutPipe()
	if err != nil {
		return nil, "", err
	}
	if err := c.Start(); err != nil {
		return nil, "", err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return nil, "", fmt.Errorf("serve said %q: %w", line, err)
	}
	for word := range strings.FieldsSeq(line) {
		if at, is := strings.CutPrefix(word, "listen="); is {
			return c, at, nil
		}
	}
	return nil, "", fmt.Errorf("serve said %q", line)
}

// written: a peer that is frozen, and then killed, has taken everything, as far as write(2), and its
// kernel's acknowledgements, can tell.
func written(f *figures, bin string) {
	writtenPlainly(f)
	writtenByOurs(f, bin)
}

// writtenPlainly writes to a process that is frozen, and then killed.
func writtenPlainly(f *figures) {
	own, peer, err := pair(&guards[0], "127.0.0.1", (&net.Dialer{KeepAlive: -1}).DialContext)
	if err != nil {
		f.fail("pair", err)
		return
	}
	file, err := peer.(*net.TCPConn).File()
	if err != nil {
		f.fail("pair", err)
		return
	}
	reader := exec.Command("cat")
	var read counter
	reader.Stdin, reader.Stdout = file, &read
	if err := reader.Start(); err != nil {
		f.fail("cat", err)
		return
	}
	file.Close()
	peer.Close()
	if err := stop(reader); err != nil {
		f.fail("cat", err)
		return
	}
	taken := 0
	for range messages {
		if n, err := own.Write(make([]byte, 100)); err == nil && n == 100 {
			taken++
		}
	}
	f.set("written", float64(taken))
	time.Sleep(200 * time.Millisecond)
	f.set("unacknowledged_bytes", float64(unsent(own)))
	_ = reader.Process.Kill()
	_ = reader.Wait()
	f.set("read_bytes", float64(read.Load()))
}

// writtenByOurs writes to a node that is frozen, and runs again.
func writtenByOurs(f *figures, bin string) {
	serve, addr, err := startServe(bin)
	if err != nil {
		f.fail("serve", err)
		return
	}
	defer serve.Process.Kill()
	var acked atomic.Int64
	ready := make(chan struct{}, 1)
	c, err := client.New(client.Config{Endpoints: []string{addr}, ID: "writer", PongTimeout: time.Minute, WriteTimeout: time.Minute,
		StateChange: func(i client.Info) {
			if i.State == client.Ready {
				select {
				case ready <- struct{}{}:
				default:
				}
			}
		},
		Settled: func(_ uint64, o client.Outcome) {
			if o.Err == nil {
				acked.Add(1)
			}
		}})
	if err != nil {
		f.fail("client", err)
		return
	}
	go func() { _ = c.Run(context.Background()) }()
	<-ready
	if err := stop(serve); err != nil {
		f.fail("serve", err)
		return
	}
	sent := 0
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for range messages {
		if _, err := c.Send(ctx, make([]byte, 100)); err == nil {
			sent++
		}
	}
	time.Sleep(time.Second)
	f.set("sent", float64(sent))
	f.set("acked_frozen", float64(acked.Load()))
	_ = serve.Process.Signal(syscall.SIGCONT)
	for end := time.Now().Add(patience); acked.Load() < int64(sent) && time.Now().Before(end); {
		time.Sleep(10 * time.Millisecond)
	}
	f.set("acked_awake", float64(acked.Load()))
}

// counter counts bytes.
type counter struct{ atomic.Int64 }

func (c *counter) Write(b []byte) (int, error) { c.Add(int64(len(b))); return len(b), nil }

// inside: a server freezes while its client has much to send. A check in the loop that writes waits
// for the write.
func inside(f *figures, bin string) {
	own, peer, err := pair(&guards[0], "127.0.0.1", (&net.Dialer{KeepAlive: -1}).DialContext)
	if err != nil {
		f.fail("pair", err)
		return
	}
	defer peer.Close() // nobody reads it: it is frozen
	noticed := make(chan struct{})
	began := time.Now()
	go func() {
		heard := time.Now()
		for {
			if _, err := own.Write(make([]byte, 1<<20)); err != nil {
				return
			}
			if time.Since(heard) > pongTimeout { // the check
				close(noticed)
				return
			}
			time.Sleep(100 * time.Millisecond)
		}
	}()
	select {
	case <-noticed:
		f.set("inside", time.Since(began).Seconds())
	case <-time.After(patience):
	}

	serve, addr, err := startServe(bin)
	if err != nil {
		f.fail("serve", err)
		return
	}
	defer serve.Process.Kill()
	c := newClient(f, client.Config{Endpoints: []string{addr}, ID: "outside", PongTimeout: pongTimeout, Interval: heartbeat})
	if c.c == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := c.c.SendAcked(ctx, []byte("first")); err != nil {
		f.fail("client", err)
		return
	}
	fault := make(chan struct{})
	if err := stop(serve); err != nil {
		f.fail("serve", err)
		return
	}
	close(fault)
	go func() {
		for ctx.Err() == nil {
			if _, err := c.c.Send(ctx, make([]byte, 60<<10)); errors.Is(err, io.EOF) {
				return
			}
		}
	}()
	c.watch("outside", fault)
}
