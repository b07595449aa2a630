package heartbeats

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/stormwheel/stormwheel/bench/lab/kit"
	"github.com/stormwheel/stormwheel/client"
)

// figures are collected by several goroutines. A time that is absent is one that never came.
type figures struct {
	mu  sync.Mutex
	all map[string]float64
	err error
}

func (f *figures) set(name string, v float64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.all[name] = v
}

func (f *figures) fail(what string, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.err = errors.Join(f.err, fmt.Errorf("%s: %w", what, err))
}

// alone is a lesson, in a process and a network of its own.
func alone(t kit.Task) (map[string]float64, error) {
	if err := ip("link", "set", "lo", "up"); err != nil {
		return nil, err
	}
	lesson := map[string]func(*figures, string){"frozen": frozen, "cut": cut, "forgets": forgets, "written": written, "inside": inside}[t.Workload]
	f := &figures{all: map[string]float64{}}
	lesson(f, t.Target)
	return f.all, f.err
}

// guard is what a plain TCP server has, to notice that its peer is gone.
type guard struct {
	name   string
	writes bool // a byte a second
	set    func(fd int) error
}

var guards = []guard{
	{name: "nothing", set: func(int) error { return nil }},
	{name: "writes", writes: true, set: func(int) error { return nil }},
	{name: "keepalive", set: func(fd int) error {
		return errors.Join(unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1), unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, int(keepAlive/time.Second)),
			unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_KEEPINTVL, 1), unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_KEEPCNT, 5))
	}},
	{name: "usertimeout", writes: true, set: func(fd int) error {
		return unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(userTimeout.Milliseconds()))
	}},
}

// watch reads until the kernel says that the connection is over, and tells when, counted from the fault.
func (g *guard) watch(f *figures, c *net.TCPConn, fault <-chan struct{}) {
	<-fault
	began := time.Now()
	_ = c.SetDeadline(began.Add(patience))
	if g.writes {
		go func() {
			for range time.Tick(time.Second) {
				if _, err := c.Write([]byte{1}); err != nil {
					return
				}
			}
		}()
	}
	var late net.Error
	if _, err := io.Copy(io.Discard, c); err != nil && !(errors.As(err, &late) && late.Timeout() && time.Since(began) >= patience) {
		f.set(g.name, time.Since(began).Seconds())
	}
}

// pair is a TCP connection: this machine's end as accepted, with the guard, and the peer's.
func pair(g *guard, at string, dial func(context.Context, string, string) (net.Conn, error)) (own *net.TCPConn, peer net.Conn, err error) {
	l, err := net.Listen("tcp", at+":0")
	if err != nil {
		return nil, nil, err
	}
	defer l.Close()
	if peer, err = dial(context.Background(), "tcp", l.Addr().String()); err != nil {
		return nil, nil, err
	}
	c, err := l.Accept()
	if err != nil {
		return nil, nil, err
	}
	own = c.(*net.TCPConn)
	raw, err := own.SyscallConn()
	if err != nil {
		return nil, nil, err
	}
	_ = own.SetKeepAlive(false) // Go's own, of 15 s
	var set error
	err = raw.Control(func(fd uintptr) { set = g.set(int(fd)) })
	return own, peer, errors.Join(err, set)
}

// frozen: the peer's process is stopped, as by a debugger, a full disk or a garbage collection. Its
// kernel goes on to answer.
func frozen(f *figures, bin string) {
	fault := make(chan struct{})
	var watching sync.WaitGroup
	var stopped []*exec.Cmd
	for _, g := range guards {
		own, peer, err := pair(&g, "127.0.0.1", (&net.Dialer{KeepAlive: -1}).DialContext)
		if err != nil {
			f.fail(g.name, err)
			return
		}
		file, err := peer.(*net.TCPConn).File()
		if err != nil {
			f.fail(g.name, err)
			return
		}
		reader := exec.Command("cat")
		reader.Stdin = file
		reader.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		if err := reader.Start(); err != nil {
			f.fail(g.name, err)
			return
		}
		file.Close()
		peer.Close()
		stopped = append(stopped, reader)
		watching.Go(func() { g.watch(f, own, fault) })
	}
	node, err := newNode("127.0.0.1:0", heartbeat, timeout)
	if err != nil {
		f.fail("node", err)
		return
	}
	terminal, err := startProgram(bin, "connect", "--server", node.srv.Addr(), "--id", "frozen")
	if err != nil {
		f.fail("connect", err)
		return
	}
	node.awaitOne()
	watching.Go(func() { node.watch(f, "heartbeat", fault) })
	for _, c := range append(stopped, terminal) {
		if err := stop(c); err != nil {
			f.fail("stop", err)
		}
	}
	close(fault)
	watching.Wait()
	for _, c := range append(stopped, terminal) {
		_ = c.Process.Kill()
	}
}

// cut: the path drops all packets, and nobody says so.
func cut(f *figures, _ string) {
	p, err := newPath(0)
	if err != nil {
		f.fail("network", err)
		return
	}
	fault := make(chan struct{})
	var watching sync.WaitGroup
	for _, g := range guards {
		own, peer, err := pair(&g, p.here, p.dial)
		if err != nil {
			f.fail(g.name, err)
			return
		}
		defer peer.Close()
		watching.Go(func() { g.watch(f, own, fault) })
	}
	node, err := newNode(p.here+":0", heartbeat, timeout)
	if err != nil {
		f.fail("node", err)
		return
	}
	c := newClient(f, client.Config{Endpoints: []string{node.srv.Addr()}, ID: "cut", Dial: p.dial, PongTimeout: pongTimeout})
	node.awaitOne()
	watching.Go(func() { node.watch(f, "heartbeat", fault) })
	watching.Go(func() { c.watch("client", fault) })
	if err := p.forward(false); err != nil {
		f.fail("cut", err)
	}
	close(fault)
	watching.Wait()
}

// forgets: a box in between forgets who has been silent for 3 s. After 8 s the server has something
// to say.
func forgets(f *figures, _ string) {
	var watching sync.WaitGroup
	for i, g := range []guard{guards[0], guards[2]} {
		p, err := newPath(i)
		if err != nil {
			f.fail("network", err)
			return
		}
		own, peer, err := pair(&g, p.here, p.dial)
		if err != nil {
			f.fail(g.name, err)
			return
		}
		p.forgets()
		began := time.Now()
		watching.Go(func() {
			_ = peer.SetReadDeadline(began.Add(patience))
			if _, err := io.ReadFull(peer, make([]byte, 1)); err == nil {
				f.set(g.name+"_arrives", time.Since(began.Add(idleTime)).Seconds())
			}
		})
		fault := make(chan struct{})
		close(fault)
		watching.Go(func() { g.watch(f, own, fault) })
		time.AfterFunc(idleTime, func() { _, _ = own.Write([]byte{1}) })
	}
	p, err := newPath(2)
	if err != nil {
		f.fail("network", err)
		return
	}
	node, err := newNode(p.here+":0", heartbeat, 4*timeout) // who notices first is another lesson
	if err != nil {
		f.fail("node", err)
		return
	}
	arrived := make(chan time.Time, 1)
	c := newClient(f, client.Config{Endpoints: []string{node.srv.Addr()}, ID: "behind a NAT", Dial: p.dial,
		Deliver: func(client.Message) { arrived <- time.Now() }})
	node.awaitOne()
	p.forgets()
	watching.Go(func() {
		time.Sleep(idleTime)
		sent := time.Now()
		if err := node.srv.Deliver(node.ref(), []byte("news")); err != nil {
			f.fail("the session behind the NAT", err)
			return
		}
		select {
		case at := <-arrived:
			f.set("heartbeat_arrives_ms", at.Sub(sent).Seconds()*1000)
		case <-time.After(patience - idleTime):
		}
		f.set("heartbeat_losses", float64(c.c.Info().Losses))
	})
	watching.Wait()
}

// unsent is how many bytes the peer's kernel has not acknowledged.
func unsent(c *net.TCPConn) (n int) {
	raw, err := c.SyscallConn()
	if err != nil {
		return -1
	}
	_ = raw.Control(func(fd uintptr) { n, err = unix.IoctlGetInt(int(fd), unix.SIOCOUTQ) })
	if err != nil {
		return -1
	}
	return n
}
