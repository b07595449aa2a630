package client

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

// failures are the ways in which a function may not return.
var failures = map[string]func(){
	"panic":      func() { panic("the application's mistake") },
	"nil":        func() { (*Client)(nil).Close() },
	"Goexit":     runtime.Goexit,
	"panic(nil)": func() { panic(any(nil)) },
}

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

// A message that the application could not take is not acknowledged; the next one is.
func TestACallbackThatFailsCostsItsMessageAlone(t *testing.T) {
	for name, fail := range failures {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var acks []uint64
				var nacks []codec.NackMessage
				e := &edge{nodes: map[string]func(*peer){addrA: func(p *peer) {
					p.welcome(codec.WelcomeMessage{Terms: terms})
					p.Write(codec.AppendDeliver(codec.AppendDeliver(nil, 1, nil), 2, nil))
					for {
						f, err := p.next()
						if err != nil || f.Type == codec.Bye {
							return
						}
						switch f.Type {
						case codec.Ack:
							m, _ := codec.ParseAck(f.Payload)
							acks = append(acks, m.Last)
						case codec.Nack:
							m, _ := codec.ParseNack(f.Payload)
							nacks = append(nacks, m)
						case codec.Send:
							id, _, _ := codec.ParseMessage(f.Payload)
							p.Write(codec.AppendAck(nil, codec.AckOf(id)))
						}
					}
				}}}
				var states, acked atomic.Int64
				log := &logged{}
				c, ran := run(t, Config{Endpoints: []string{addrA}, Dial: e.dial, Logger: log.logger(),
					Deliver: func(m Message) {
						if m.Number == 1 {
							fail()
						}
					},
					Settled: func(id uint64, o Outcome) {
						if acked.Add(1) == 1 {
							fail()
						}
					},
					StateChange: func(Info) {
						if states.Add(1) == 1 {
							fail()
						}
					}})
				for range 2 {
					if _, err := c.Send(t.Context(), nil); err != nil {
						t.Error(err)
					}
				}
				time.Sleep(time.Second)
				if info := c.Info(); info.Panics != 3 || info.State != Ready || info.Sessions != 1 {
					t.Errorf("Info = %+v, want three panics and one session", info)
				}
				end(t, c, ran)
				if len(nacks) != 1 || nacks[0].Number != 1 || nacks[0].Code != codec.NackInternal {
					t.Errorf("refused %v, want the message that was not handled", nacks)
				}
				if len(acks) != 1 || acks[0] != 2 || acked.Load() != 2 || states.Load() < 4 {
					t.Errorf("acknowledged %v, told of %d ACKs and %d states", acks, acked.Load(), states.Load())
				}
				text := log.String()
				for _, want := range []string{"Deliver", "Settled", "StateChange", "app_test.go"} {
					if !strings.Contains(text, want) {
						t.Errorf("the log has no %s:\n%s", want, text)
					}
				}
			})
		})
	}
}

// A test that fails in a callback ends its goroutine: Run and Close must end all the same.
func TestCallbacksThatAlwaysFailDoNotHoldTheEndUp(t *testing.T) {
	for name, fail := range failures {
		synctest.Test(t, func(t *testing.T) {
			e := &edge{nodes: map[string]func(*peer){addrA: func(p *peer) {
				p.welcome(codec.WelcomeMessage{Terms: terms})
				for i := range uint64(20) {
					p.Write(codec.AppendDeliver(nil, i+1, nil))
				}
				p.serve()
			}}}
			c, ran := run(t, Config{Endpoints: []string{addrA}, Dial: e.dial, Logger: (&logged{}).logger(),
				Deliver: func(Message) { fail() }, StateChange: func(Info) { fail() }})
			time.Sleep(time.Second)
			if info := c.Info(); info.Panics < 23 || info.Losses != 0 {
				t.Errorf("%s: Info = %+v", name, info)
			}
			end(t, c, ran)
		})
	}
}

func TestAPanicIsNeverSilent(t *testing.T) {
	was := slog.Default()
	defer slog.SetDefault(was)
	log := &logged{}
	slog.SetDefault(log.logger())
	synctest.Test(t, func(t *testing.T) {
		e := &edge{nodes: map[string]func(*peer){addrA: node}}
		c, ran := run(t, Config{Endpoints: []string{addrA}, Dial: e.dial, StateChange: func(Info) { panic("oops") }})
		time.Sleep(time.Second)
		end(t, c, ran)
	})
	if !strings.Contains(log.String(), "oops") {
		t.Errorf("slog.Default got %q", log.String())
	}
}

func TestAnAttemptFailsWithItsFunction(t *testing.T) {
	for name, fail := range failures {
		for _, which := range []string{"TokenSource", "Dial"} {
			synctest.Test(t, func(t *testing.T) {
				e := &edge{nodes: map[string]func(*peer){addrA: node}}
				var calls atomic.Int64
				maybe := func(f string) {
					if f == which && calls.Add(1) <= 3 {
						fail()
					}
				}
				c, ran := run(t, Config{Endpoints: []string{addrA}, Logger: (&logged{}).logger(),
					TokenSource: func(context.Context) ([]byte, error) { maybe("TokenSource"); return nil, nil },
					Dial: func(ctx context.Context, network, addr string) (net.Conn, error) {
						maybe("Dial")
						return e.dial(ctx, network, addr)
					}})
				synctest.Wait()
				if err := c.Info().LastError; err == nil || !strings.Contains(err.Error(), which) {
					t.Errorf("%s in %s: LastError = %v", name, which, err)
				}
				time.Sleep(time.Minute)
				if info := c.Info(); info.State != Ready || info.Panics != 3 {
					t.Errorf("%s in %s: Info = %+v", name, which, info)
				}
				end(t, c, ran)
			})
		}
	}
}

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
