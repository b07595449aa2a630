package client

import (
	"context"
	"errors"
	"net"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

// lastWordsConn fails its Writes once told to; what the server sent can still be read.
type lastWordsConn struct {
	net.Conn
	broken *atomic.Bool
}

func (c lastWordsConn) Write(b []byte) (int, error) {
	if c.broken.Load() {
		return 0, errors.New("broken pipe")
	}
	return c.Conn.Write(b)
}

func TestLastWordsAreReadAfterAWriteFailed(t *testing.T) {
	for _, speaks := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			var broken atomic.Bool
			e := &edge{nodes: map[string]func(*peer){addrA: func(p *peer) {
				p.welcome(codec.WelcomeMessage{Terms: terms})
				time.Sleep(2 * time.Second)
				if speaks {
					p.goAway(codec.GoAwayMessage{Code: codec.CodeReplaced})
				}
				mute(p)
			}}}
			c, ran := run(t, Config{Endpoints: []string{addrA}, Dial: func(ctx context.Context, network, addr string) (net.Conn, error) {
				if broken.Load() { // a return would be another story
					<-ctx.Done()
					return nil, ctx.Err()
				}
				conn, err := e.dial(ctx, network, addr)
				return lastWordsConn{conn, &broken}, err
			}})
			time.Sleep(time.Second)
			broken.Store(true)
			c.Send(t.Context(), []byte("x"))
			time.Sleep(4 * time.Second)
			if speaks {
				var ce *CodeError
				if err := <-ran; !errors.As(err, &ce) || ce.Code != codec.CodeReplaced {
					t.Errorf("Run = %v, want the code that was still unread", err)
				}
				return
			}
			if info := c.Info(); info.Losses != 1 || info.LastError == nil || info.LastError.Error() != "broken pipe" {
				t.Errorf("Info = %+v, want one loss by the broken pipe", info)
			}
			end(t, c, ran)
		})
	}
}

func TestCloseSaysByeOnceAndMayBeRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen := make(chan []codec.Type, 1)
		e := &edge{nodes: map[string]func(*peer){addrA: func(p *peer) {
			p.welcome(codec.WelcomeMessage{Terms: terms})
			seen <- p.serve()
		}}}
		c, ran := run(t, Config{Endpoints: []string{addrA}, Dial: e.dial})
		time.Sleep(time.Second)
		c.Close()
		end(t, c, ran)
		c.Close()
		if got := <-seen; !slices.Equal(got, []codec.Type{codec.Bye}) {
			t.Errorf("the server read %v, want BYE", got)
		}
		if err := c.Run(t.Context()); !errors.Is(err, ErrRan) {
			t.Errorf("second Run = %v, want ErrRan", err)
		}
		if _, err := c.Send(t.Context(), nil); !errors.Is(err, ErrClosed) {
			t.Errorf("Send = %v, want ErrClosed", err)
		}
	})
}

func TestCloseFromAnywhere(t *testing.T) {
	t.Run("before Run", func(t *testing.T) {
		c, err := New(Config{Endpoints: []string{addrA}, ID: "a"})
		if err != nil {
			t.Fatal(err)
		}
		c.Close()
		if err := c.Run(t.Context()); !errors.Is(err, ErrClosed) {
			t.Errorf("Run = %v, want ErrClosed", err)
		}
	})
	for name, serve := range map[string]func(*peer){
		"while it dials":         nil,
		"before WELCOME":         readUntilClosed,
		"to a node that is mute": func(p *peer) { p.welcome(codec.WelcomeMessage{Terms: terms}); mute(p) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := &edge{nodes: map[string]func(*peer){addrA: serve}}
				dial := e.dial
				if serve == nil {
					dial = func(ctx context.Context, _, _ string) (net.Conn, error) { <-ctx.Done(); return nil, ctx.Err() }
				}
				c, ran := run(t, Config{Endpoints: []string{addrA}, Dial: dial})
				time.Sleep(time.Second)
				began := time.Now()
				end(t, c, ran)
				if took := time.Since(began); took > time.Second {
					t.Errorf("Run returned %v after Close, want at most 1s", took)
				}
			})
		})
	}
	t.Run("in Deliver, and by ctx", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			e := &edge{nodes: map[string]func(*peer){addrA: func(p *peer) {
				p.welcome(codec.WelcomeMessage{Terms: terms})
				p.Write(codec.AppendDeliver(nil, 1, nil))
				p.serve()
			}}}
			ctx, cancel := context.WithCancel(t.Context())
			c, err := New(Config{Endpoints: []string{addrA}, ID: "a", Dial: e.dial, Deliver: func(Message) { cancel() }})
			if err != nil {
				t.Fatal(err)
			}
			if err := c.Run(ctx); err != nil {
				t.Errorf("Run = %v, want nil: its ctx has ended", err)
			}
			var inner *Client
			inner, err = New(Config{Endpoints: []string{addrA}, ID: "a", Dial: e.dial, Deliver: func(Message) { inner.Close() }})
			if err != nil {
				t.Fatal(err)
			}
			if err := inner.Run(t.Context()); err != nil {
				t.Errorf("Run = %v, want nil", err)
			}
		})
	})
}
