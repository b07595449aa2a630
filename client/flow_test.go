package client

import (
	"context"
	"errors"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

// askedConn has a socket that tells nothing, but calls asked whenever it is asked.
type askedConn struct {
	net.Conn
	asked func()
}

func (c askedConn) SyscallConn() (syscall.RawConn, error) { return askedSocket(c.asked), nil }

type askedSocket func()

func (s askedSocket) Control(func(uintptr)) error    { s(); return nil }
func (s askedSocket) Read(func(uintptr) bool) error  { return errors.ErrUnsupported }
func (s askedSocket) Write(func(uintptr) bool) error { return errors.ErrUnsupported }

// asking is a Dial of e's whose connections have such sockets.
func asking(e *edge, asked func()) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		nc, err := e.dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return askedConn{nc, asked}, nil
	}
}

// However many Sends wait for the server's limits, one asks the kernel.
func TestWaitingSendsShareOneLook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		read := make(chan struct{})
		e := &edge{nodes: map[string]func(*peer){addrA: func(p *peer) {
			p.welcome(codec.WelcomeMessage{Terms: terms, Limits: codec.Limits{Frames: 10, FrameBurst: 20}})
			<-read
			p.serve()
		}}}
		var asked atomic.Int32
		c, ran := run(t, Config{Endpoints: []string{addrA}, Dial: asking(e, func() { asked.Add(1) })})
		var sending sync.WaitGroup
		var sent, closed atomic.Int32
		for range 200 {
			sending.Go(func() {
				switch _, err := c.Send(t.Context(), []byte("x")); {
				case err == nil:
					sent.Add(1)
				case errors.Is(err, ErrClosed):
					closed.Add(1)
				}
			})
		}
		time.Sleep(time.Second)
		before := asked.Load()
		time.Sleep(time.Second)
		if n := asked.Load() - before; n > 110 {
			t.Errorf("the kernel was asked %d times in a second", n)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := c.Send(ctx, []byte("x")); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Send behind others = %v, want its context's end", err)
		}
		stuck := sent.Load()
		close(read)
		time.Sleep(10 * time.Second)
		if n := sent.Load() - stuck; n < 80 || n > 130 {
			t.Errorf("%d were sent in 10 s, want about 95", n)
		}
		end(t, c, ran)
		sending.Wait()
		if sent.Load()+closed.Load() != 200 || closed.Load() == 0 {
			t.Errorf("%d sent, %d closed, want 200 in all", sent.Load(), closed.Load())
		}
	})
}

// What the link is told before a Tick holds at the time of that Tick, however long the
// telling takes.
func TestNoDeadlinePassesWhileTheLinkIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const timeout = 8 * time.Second
		long := codec.AppendDeliver(nil, 1, make([]byte, 20000))
		e := &edge{nodes: map[string]func(*peer){addrA: func(p *peer) {
			p.welcome(codec.WelcomeMessage{Terms: terms})
			ping, _ := p.next()
			for part := range slices.Chunk(long, 500) { // the answer stands behind it
				p.Write(part)
				time.Sleep(time.Second / 2)
			}
			token, _, _ := codec.ParsePing(ping.Payload)
			p.Write(codec.AppendPong(nil, codec.PongMessage{Token: token, Terms: terms}))
			p.serve()
		}}}
		var asked sync.Once
		var delivered atomic.Int32
		c, ran := run(t, Config{Endpoints: []string{addrA}, PongTimeout: timeout,
			Dial:    asking(e, func() { asked.Do(func() { time.Sleep(timeout*7/8 + 100*time.Millisecond) }) }),
			Deliver: func(Message) { delivered.Add(1) }})
		time.Sleep(2 * time.Minute)
		if i := c.Info(); i.Losses != 0 || i.Pongs == 0 || delivered.Load() != 1 {
			t.Errorf("%+v, want no loss", i)
		}
		asked.Do(func() { t.Error("the kernel was not asked") })
		end(t, c, ran)
	})
}
