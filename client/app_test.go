package client

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// logged is a Logger whose text can be read while it is written.
type logged struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logged) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func (l *logged) logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

// The promise: a Dial or TokenSource that does not listen holds up no more than a few
// goroutines, and nobody's end.
func TestFunctionsThatIgnoreTheirContextAreAbandoned(t *testing.T) {
	for _, which := range []string{"TokenSource", "Dial"} {
		synctest.Test(t, func(t *testing.T) {
			stuck := make(chan struct{})
			var calls, under atomic.Int64
			late := make(chan *nearEnd, 100)
			hang := func() {
				calls.Add(1)
				under.Add(1)
				defer under.Add(-1)
				<-stuck
			}
			cfg := Config{Endpoints: []string{addrA}, Dial: func(context.Context, string, string) (net.Conn, error) {
				hang()
				near, _ := net.Pipe()
				conn := &nearEnd{Conn: near, closed: make(chan struct{})}
				late <- conn
				return conn, nil
			}}
			if which == "TokenSource" {
				cfg.TokenSource = func(context.Context) ([]byte, error) { hang(); return nil, nil }
			}
			c, ran := run(t, cfg)
			time.Sleep(time.Hour)
			synctest.Wait()
			if n := under.Load(); n != maxAbandoned || calls.Load() != n {
				t.Errorf("%s: %d calls are under way, of %d", which, n, calls.Load())
			}
			if err := c.Info().LastError; !errors.Is(err, errAbandoned) && !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%s: LastError = %v", which, err)
			}
			began := time.Now()
			end(t, c, ran)
			if took := time.Since(began); took > 2*time.Second {
				t.Errorf("%s: Run returned %v after Close", which, took)
			}
			close(stuck)
			synctest.Wait()
			for which == "Dial" && len(late) > 0 {
				select {
				case <-(<-late).closed:
				default:
					t.Error("a connection that came too late is open")
				}
			}
		})
	}
}

// One that has returned makes room.
func TestAnAbandonedCallMakesRoomWhenItReturns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &edge{nodes: map[string]func(*peer){addrA: node}}
		var calls atomic.Int64
		c, ran := run(t, Config{Endpoints: []string{addrA}, Dial: func(ctx context.Context, network, addr string) (net.Conn, error) {
			if calls.Add(1) <= 2*maxAbandoned {
				time.Sleep(10 * time.Minute)
				return nil, errors.New("at last")
			}
			return e.dial(ctx, network, addr)
		}})
		time.Sleep(2 * time.Hour)
		if info := c.Info(); info.State != Ready {
			t.Errorf("Info = %+v after %d calls", info, calls.Load())
		}
		end(t, c, ran)
	})
}

func TestADialOfNothingIsAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, ran := run(t, Config{Endpoints: []string{addrA}, Dial: func(context.Context, string, string) (net.Conn, error) { return nil, nil }})
		time.Sleep(time.Second)
		if c.Info().LastError == nil {
			t.Error("no error")
		}
		end(t, c, ran)
	})
}
