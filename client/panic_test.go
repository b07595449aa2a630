package client

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"runtime"
	"slices"
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

// wantPanic holds that a client has ended for want of that function, and says where.
func wantPanic(t *testing.T, err error, function string) {
	t.Helper()
	var e *PanicError
	if !errors.As(err, &e) || e.Function != function || !strings.Contains(string(e.Stack), "_test.go") || !strings.Contains(err.Error(), function) {
		t.Errorf("Run = %v, want a PanicError of %s with its stack", err, function)
	}
}

// A callback that fails ends the client, which says what there is to say: the message that could not be
// handled is refused, and then comes BYE.
func TestACallbackThatFailsStopsTheClient(t *testing.T) {
	for name, fail := range failures {
		for _, which := range []string{"Deliver", "Deliver, later", "Settled", "StateChange", "OnLost"} {
			t.Run(name+"/"+which, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { callbackFails(t, which, fail) })
			})
		}
	}
}

func callbackFails(t *testing.T, which string, fail func()) {
	var mu sync.Mutex
	var heard []string
	e := &edge{nodes: map[string]func(*peer){addrA: func(p *peer) {
		p.welcome(codec.WelcomeMessage{Terms: terms})
		p.Write(codec.AppendDeliver(codec.AppendDeliver(nil, 1, nil), 2, nil))
		for {
			f, err := p.next()
			if err != nil {
				return
			}
			mu.Lock()
			if f.Type != codec.Ping && f.Type != codec.Send {
				heard = append(heard, f.Type.String())
			}
			mu.Unlock()
			switch number, body, _ := codec.ParseMessage(f.Payload); {
			case f.Type == codec.Nack:
				if m, err := codec.ParseNack(f.Payload); err != nil || m.Number != 1 || m.Code != codec.NackInternal {
					t.Errorf("refused %+v, %v", m, err)
				}
			case f.Type == codec.Send && string(body) == "cut":
				p.Close()
			case f.Type == codec.Send:
				go p.Write(codec.AppendAck(nil, codec.AckOf(number))) // the client may read no more
			case f.Type == codec.Bye:
				return
			}
		}
	}}}
	log := &logged{}
	maybe := func(callback string) {
		if callback == which {
			fail()
		}
	}
	c, ran := run(t, Config{Endpoints: []string{addrA}, Dial: e.dial, Logger: log.logger(), NeverGiveUp: true,
		Deliver: func(m Message) {
			if m.Number == 1 {
				maybe("Deliver")
				if which == "Deliver, later" {
					m.AckLater()
					fail()
				}
			}
		},
		Settled:     func(uint64, Outcome) { maybe("Settled") },
		OnLost:      func(Loss) { maybe("OnLost") },
		StateChange: func(i Info) { maybe("StateChange") }})
	_, _ = c.Send(t.Context(), nil) // which the client's end may overtake
	if which == "OnLost" {
		_, _ = c.Send(t.Context(), []byte("cut"))
	}
	function, _, _ := strings.Cut(which, ",")
	wantPanic(t, <-ran, function)
	if _, err := c.Send(t.Context(), nil); !errors.Is(err, ErrClosed) || c.Info().State != Stopped || c.Info().Panics == 0 {
		t.Errorf("Send = %v, Info = %+v", err, c.Info())
	}
	synctest.Wait()
	mu.Lock()
	defer mu.Unlock()
	if function == "Deliver" && !slices.Equal(heard, []string{codec.Nack.String(), codec.Bye.String()}) {
		t.Errorf("the server hears %q, want NACK and BYE", heard)
	}
	if text := log.String(); !strings.Contains(text, function) || !strings.Contains(text, "panic_test.go") {
		t.Errorf("the log does not say which and where:\n%s", text)
	}
}

// A test that fails in a callback ends its goroutine: Run must end all the same, and Close.
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
			began := time.Now()
			c, ran := run(t, Config{Endpoints: []string{addrA}, Dial: e.dial, Logger: (&logged{}).logger(),
				Deliver: func(Message) { fail() }, StateChange: func(Info) { fail() }})
			wantPanic(t, <-ran, "StateChange")
			c.Close()
			if took := time.Since(began); took > 2*time.Second {
				t.Errorf("%s: the end took %v", name, took)
			}
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
		_, ran := run(t, Config{Endpoints: []string{addrA}, Dial: e.dial, StateChange: func(Info) { panic("oops") }})
		if err := <-ran; err.Error() != "client: StateChange panicked: oops" {
			t.Errorf("Run = %v", err)
		}
	})
	if !strings.Contains(log.String(), "oops") {
		t.Errorf("slog.Default got %q", log.String())
	}
}

// A panic with an error is that error, too.
func TestAPanicsErrorIsFound(t *testing.T) {
	if err := error(&PanicError{Function: "Deliver", Value: io.ErrShortWrite}); !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("%v is not what it panicked with", err)
	}
	if err := error(&PanicError{Function: "Deliver"}); errors.Unwrap(err) != nil {
		t.Errorf("%v holds %v", err, errors.Unwrap(err))
	}
}

func TestAFunctionOfAnAttemptThatFailsStopsTheClient(t *testing.T) {
	for name, fail := range failures {
		for _, which := range []string{"TokenSource", "Dial"} {
			synctest.Test(t, func(t *testing.T) {
				maybe := func(f string) {
					if f == which {
						fail()
					}
				}
				var calls atomic.Int64
				c, ran := run(t, Config{Endpoints: []string{addrA}, Logger: (&logged{}).logger(),
					TokenSource: func(context.Context) ([]byte, error) { maybe("TokenSource"); return nil, nil },
					Dial: func(context.Context, string, string) (net.Conn, error) {
						calls.Add(1)
						maybe("Dial")
						return nil, errors.New("not today")
					}})
				wantPanic(t, <-ran, which)
				if info := c.Info(); info.State != Stopped || info.Panics != 1 || calls.Load() > 1 {
					t.Errorf("%s in %s: Info = %+v, %d calls of Dial", name, which, info, calls.Load())
				}
			})
		}
	}
}

// In a session as well, where the grant is about to end.
func TestASourceThatPanicsAtARenewalStopsTheClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &granting{grant: time.Hour, good: func(token string) bool { return token == "good" }}
		e := &edge{nodes: map[string]func(*peer){addrA: n.serve}}
		var asked atomic.Int64
		_, ran := run(t, Config{Endpoints: []string{addrA}, Dial: e.dial, Logger: (&logged{}).logger(), TokenSource: func(context.Context) ([]byte, error) {
			if asked.Add(1) > 1 {
				panic("no vault")
			}
			return []byte("good"), nil
		}})
		wantPanic(t, <-ran, "TokenSource")
	})
}

// One that panics when its client has ended is told in the log and harms nobody.
func TestAFunctionThatPanicsAfterTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stuck, log := make(chan struct{}), &logged{}
		c, ran := run(t, Config{Endpoints: []string{addrA}, Logger: log.logger(), Dial: func(context.Context, string, string) (net.Conn, error) {
			<-stuck
			panic("too late")
		}})
		synctest.Wait()
		end(t, c, ran)
		close(stuck)
		synctest.Wait()
		if !strings.Contains(log.String(), "too late") {
			t.Errorf("the log says %q", log.String())
		}
	})
}
