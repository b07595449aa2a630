package client

import (
	"context"
	"errors"
	"net"
	"os"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

// breakingConn fails its Writes once broken has an error; what the server sent can still
// be read.
type breakingConn struct {
	net.Conn
	broken *atomic.Pointer[error]
}

func (c breakingConn) Write(b []byte) (int, error) {
	if err := c.broken.Load(); err != nil {
		return 0, *err
	}
	return c.Conn.Write(b)
}

// breaking dials e. Only the first connection can break.
func breaking(e *edge, broken *atomic.Pointer[error]) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := e.dial(ctx, network, addr)
		if err != nil || e.dialled() > 1 {
			return conn, err
		}
		return breakingConn{conn, broken}, nil
	}
}

// A write tells of this machine's trouble what the read after it does not know.
func TestLocalWriteErrorIsALocalLoss(t *testing.T) {
	for _, c := range []struct {
		name    string
		deliver time.Duration // what the application takes for a message
		serve   func(*peer)   // the first session
	}{
		{"reading", 0, mute},
		{"waiting for the application", 5 * time.Second, mute},
		{"the server closes", 0, func(*peer) { time.Sleep(1500 * time.Millisecond) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			for range 20 { // a draw over the window is seldom short
				synctest.Test(t, func(t *testing.T) {
					var broken atomic.Pointer[error]
					e := &edge{nodes: map[string]func(*peer){}}
					e.set(addrA, func(p *peer) {
						e.set(addrA, node)
						p.welcome(codec.WelcomeMessage{Terms: terms})
						p.Write(codec.AppendDeliver(nil, 1, nil))
						p.next() // ACK
						c.serve(p)
					})
					c, ran := run(t, Config{Endpoints: []string{addrA}, Dial: breaking(e, &broken),
						Deliver: func(Message) { time.Sleep(c.deliver) }})
					time.Sleep(time.Second)
					err := error(&net.OpError{Op: "write", Err: os.NewSyscallError("write", syscall.ECONNABORTED)})
					broken.Store(&err)
					c.Send(t.Context(), nil)
					time.Sleep(lastWords + time.Second)
					synctest.Wait()
					if info := c.Info(); info.State != Ready || info.Dials != 2 || !errors.Is(info.LastError, syscall.ECONNABORTED) {
						t.Errorf("Info = %+v, want a new session within a second of the loss", info)
					}
					end(t, c, ran)
				})
			}
		})
	}
}

// The write fails first, and then a message comes whose handler sends: the reader waits
// for Deliver, Deliver for Send, Send for another connection.
func TestSendInDeliverSurvivesAWriteThatHasFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var broken atomic.Pointer[error]
		var sessions atomic.Int64
		e := &edge{nodes: map[string]func(*peer){addrA: func(p *peer) {
			p.welcome(codec.WelcomeMessage{Terms: terms})
			if sessions.Add(1) > 1 {
				p.serve()
				return
			}
			time.Sleep(2 * time.Second)
			p.Write(codec.AppendDeliver(nil, 1, nil))
			mute(p)
		}}}
		sent := make(chan error, 1)
		ready := make(chan *Client, 1)
		c, ran := run(t, Config{Endpoints: []string{addrA}, Dial: breaking(e, &broken), Deliver: func(Message) {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
			defer cancel()
			_, err := (<-ready).Send(ctx, nil)
			sent <- err
		}})
		ready <- c
		time.Sleep(time.Second)
		err := errors.New("broken pipe")
		broken.Store(&err)
		c.Send(t.Context(), nil)
		if err := <-sent; err != nil {
			t.Errorf("Send = %v, want it written to the next session", err)
		}
		end(t, c, ran)
	})
}

// Behind a connection without a socket, a piece may take its time at the least rate, and no
// longer.
func TestWritesWithoutASocketHaveTheLeastRate(t *testing.T) {
	for name, c := range map[string]struct {
		every time.Duration // the server takes 512 bytes so often
		kept  bool
	}{"600 bytes a second": {850 * time.Millisecond, true}, "nothing": {time.Hour, false}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := &edge{nodes: map[string]func(*peer){}}
				e.set(addrA, func(p *peer) {
					e.set(addrA, node)
					p.welcome(codec.WelcomeMessage{Terms: codec.Terms{Interval: 2 * time.Second}})
					for b := make([]byte, 512); ; {
						time.Sleep(c.every)
						if _, err := p.Read(b); err != nil {
							return
						}
					}
				})
				client, ran := run(t, Config{Endpoints: []string{addrA}, Dial: e.dial, MaxPayload: 1 << 20, PongTimeout: 2 * time.Second})
				if _, err := client.Send(t.Context(), make([]byte, 60000)); err != nil {
					t.Fatal(err)
				}
				time.Sleep(39 * time.Second)
				if i := client.Info(); i.Losses != 0 {
					t.Errorf("lost after 39s: %v", i.LastError)
				}
				time.Sleep(20 * time.Second)
				synctest.Wait()
				if i := client.Info(); (i.Losses == 0) != c.kept {
					t.Errorf("%d losses, last error %v", i.Losses, i.LastError)
				}
				end(t, client, ran)
				time.Sleep(2 * c.every)
			})
		})
	}
}
