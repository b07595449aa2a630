package client

import (
	"bytes"
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

const addrA, addrB = "10.0.0.1:7000", "10.0.0.2:7000"

func TestHoursOfHeartbeats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var pings atomic.Int64
		var gaps []time.Duration
		e := &edge{nodes: map[string]func(*peer){addrA: func(p *peer) {
			p.welcome(codec.WelcomeMessage{Terms: terms})
			for last := time.Now(); ; {
				f, err := p.next()
				if err != nil || f.Type != codec.Ping {
					return
				}
				gaps = append(gaps, time.Since(last))
				last = time.Now()
				pings.Add(1)
				token, _, _ := codec.ParsePing(f.Payload)
				p.Write(codec.AppendPong(nil, codec.PongMessage{Token: token, Terms: terms}))
			}
		}}}
		c, ran := run(t, Config{Endpoints: []string{addrA}, Dial: e.dial})
		time.Sleep(12 * time.Hour)
		synctest.Wait()
		info := c.Info()
		if n := pings.Load(); n < 12*3600/30 || n > 12*3600/24 || info.Pings != uint32(n) || info.Pongs != info.Pings {
			t.Errorf("%d PINGs read in 12h of 24s to 30s; Info says %d and %d PONGs", n, info.Pings, info.Pongs)
		}
		if low, high := slices.Min(gaps), slices.Max(gaps); low < 24*time.Second || high > 30*time.Second {
			t.Errorf("PINGs %v to %v apart, want 24s to 30s", low, high)
		}
		if info.Losses != 0 || info.Dials != 1 || info.State != Ready {
			t.Errorf("Info = %+v, want one undisturbed session", info)
		}
		end(t, c, ran)
	})
}

// Promise 4: a dead server is noticed in one interval + one pong timeout, however busy
// the client is.
func TestSilentServerIsNoticedWhileAWriterIsBusy(t *testing.T) {
	for name, silent := range map[string]func(*peer){
		"reads but never answers": readUntilClosed,
		"does not even read":      mute,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := &edge{nodes: map[string]func(*peer){addrA: func(p *peer) {
					p.welcome(codec.WelcomeMessage{Terms: terms})
					silent(p)
				}}}
				var lost atomic.Int64
				began := time.Now()
				c, ran := run(t, Config{Endpoints: []string{addrA}, Dial: e.dial, StateChange: func(i Info) {
					if i.State == BackingOff {
						lost.CompareAndSwap(0, int64(time.Since(began)))
					}
				}})
				for range 60 {
					ctx, cancel := context.WithTimeout(t.Context(), time.Second)
					c.Send(ctx, []byte("x"))
					<-ctx.Done()
					cancel()
				}
				if d := time.Duration(lost.Load()); d == 0 || d > 40*time.Second || d < 10*time.Second {
					t.Errorf("noticed after %v, want within 30s + 10s", d)
				}
				end(t, c, ran)
			})
		})
	}
}

func TestFailoverToTheOtherNode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &edge{nodes: map[string]func(*peer){}}
		kill := make(chan struct{})
		first := func(p *peer) {
			p.welcome(codec.WelcomeMessage{Terms: terms, Node: []byte(p.addr)})
			<-kill
		}
		e.set(addrA, first)
		e.set(addrB, first)
		c, ran := run(t, Config{Endpoints: []string{addrA, addrB}, Dial: e.dial})
		time.Sleep(time.Second)
		was := c.Info().Node
		e.set(addrA, node)
		e.set(addrB, node)
		e.set(was, nil) // kill -9: the connection breaks and nobody listens
		close(kill)
		time.Sleep(61 * time.Second)
		info := c.Info()
		if info.State != Ready || info.Node == was || info.Sessions != 2 || info.Dials != 2 || info.Losses != 1 {
			t.Errorf("was at %s; Info = %+v, want the other node with one attempt", was, info)
		}
		end(t, c, ran)
	})
}

func TestCodesOfEachRangeAreObeyed(t *testing.T) {
	for _, c := range []struct {
		code  codec.Code
		delay time.Duration
		here  bool          // whether to return to the same node
		after time.Duration // at the latest
	}{
		{codec.CodeBusy, 7 * time.Second, true, 7 * time.Second},
		{codec.CodeKicked, 0, true, time.Second},
		{codec.CodeDraining, 0, false, 0},
		{codec.CodeFull, 3 * time.Second, false, 3 * time.Second},
	} {
		t.Run(c.code.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var sent atomic.Bool
				away := func(p *peer) {
					if !sent.CompareAndSwap(false, true) {
						node(p)
						return
					}
					p.hello()
					p.goAway(codec.GoAwayMessage{Code: c.code, Delay: c.delay})
				}
				e := &edge{nodes: map[string]func(*peer){addrA: away, addrB: away}}
				cl, ran := run(t, Config{Endpoints: []string{addrA, addrB}, Dial: e.dial})
				time.Sleep(c.delay - 1)
				synctest.Wait()
				if n := e.dialled(); c.delay > 0 && n != 1 {
					t.Errorf("%d dials before the delay was over", n)
				}
				time.Sleep(c.after - c.delay + 2)
				synctest.Wait()
				if info := cl.Info(); info.State != Ready || (e.dials[0] == e.dials[1]) != c.here {
					t.Errorf("dials %v, state %s", e.dials, info.State)
				}
				end(t, cl, ran)
			})
		})
	}
	t.Run("replaced", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			e := &edge{nodes: map[string]func(*peer){addrA: func(p *peer) {
				p.hello()
				p.goAway(codec.GoAwayMessage{Code: codec.CodeReplaced, Reason: []byte("who?")})
			}}}
			c, ran := run(t, Config{Endpoints: []string{addrA}, Dial: e.dial})
			var ce *CodeError
			if err := <-ran; !errors.As(err, &ce) || ce.Code != codec.CodeReplaced || ce.Reason != "who?" {
				t.Errorf("Run = %v, want replaced", err)
			}
			c.Close() // too late to change the reason
			if _, err := c.Send(t.Context(), nil); !errors.Is(err, ErrClosed) || !errors.As(err, &ce) {
				t.Errorf("Send = %v, want closed by the code", err)
			}
		})
	})
}

func TestTokenSourceIsAskedBeforeEveryHello(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var tokens []string
		e := &edge{nodes: map[string]func(*peer){addrA: func(p *peer) {
			hello, _ := p.hello()
			tokens = append(tokens, string(hello.Token))
			p.goAway(codec.GoAwayMessage{Code: codec.CodeTokenExpired})
		}}}
		asked := 0
		c, ran := run(t, Config{Endpoints: []string{addrA}, Dial: e.dial, TokenSource: func(context.Context) ([]byte, error) {
			if asked++; asked == 3 {
				return nil, errors.New("issuer is down")
			}
			return []byte(strings.Repeat("t", asked)), nil
		}})
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if len(tokens) < 5 || tokens[0] != "t" || tokens[1] != "tt" || tokens[2] != "tttt" || len(tokens) != asked-1 {
			t.Errorf("asked %d times, HELLOs carried %q", asked, tokens)
		}
		end(t, c, ran)
	})
}

func TestSlowTokenSourceDoesNotBlameTheNode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &edge{nodes: map[string]func(*peer){addrA: node}}
		c, ran := run(t, Config{Endpoints: []string{addrA}, Dial: e.dial, TokenSource: func(ctx context.Context) ([]byte, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}})
		time.Sleep(4600 * time.Millisecond)
		if err := c.Info().LastError; err == nil || !strings.Contains(err.Error(), "TokenSource") {
			t.Errorf("LastError = %v, want the token source's", err)
		}
		if e.dialled() != 0 {
			t.Error("dialled without a token")
		}
		end(t, c, ran)
	})
}

func TestMessagesBothWays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ackOfDeliver := make(chan uint64, 1)
		delivering := make(chan struct{})
		e := &edge{nodes: map[string]func(*peer){addrA: func(p *peer) {
			p.welcome(codec.WelcomeMessage{Terms: terms})
			f, _ := p.next()
			id, body, _ := codec.ParseMessage(f.Payload)
			if f.Type != codec.Send || string(body) != "hello" {
				t.Errorf("read %s %q, want SEND hello", f.Type, body)
			}
			p.Write(codec.AppendDeliver(codec.AppendAck(nil, codec.AckOf(id)), 77, []byte("news")))
			f, _ = p.next()
			select {
			case <-delivering:
			default:
				t.Error("ACK before Deliver returned")
			}
			ack, _ := codec.ParseAck(f.Payload)
			ackOfDeliver <- ack.Last
			p.serve()
		}}}
		acked := make(chan uint64, 1)
		c, ran := run(t, Config{Endpoints: []string{addrA}, Dial: e.dial,
			Settled: func(id uint64, o Outcome) { acked <- id },
			Deliver: func(m Message) {
				time.Sleep(time.Second)
				if m.Number != 77 || string(m.Body) != "news" {
					t.Errorf("Deliver(%d, %q)", m.Number, m.Body)
				}
				close(delivering)
			}})
		id, err := c.Send(t.Context(), []byte("hello")) // waits for the session
		if err != nil {
			t.Fatal(err)
		}
		if got := <-acked; got != id {
			t.Errorf("Settled(%d), want %d", got, id)
		}
		if got := <-ackOfDeliver; got != 77 {
			t.Errorf("the server got ACK %d, want 77", got)
		}
		end(t, c, ran)
	})
}

func TestBodyIsValidUntilDeliverReturns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &edge{nodes: map[string]func(*peer){addrA: func(p *peer) {
			p.welcome(codec.WelcomeMessage{Terms: terms})
			for i := range byte(5) {
				p.Write(codec.AppendDeliver(nil, uint64(i), bytes.Repeat([]byte{'a' + i}, 3000)))
			}
			p.serve()
		}}}
		var bodies []byte
		c, ran := run(t, Config{Endpoints: []string{addrA}, Dial: e.dial, Deliver: func(m Message) {
			time.Sleep(time.Second) // what comes next must not be read over it
			if want := bytes.Repeat([]byte{'a' + byte(m.Number)}, 3000); !bytes.Equal(m.Body, want) {
				t.Errorf("body %d has changed under Deliver", m.Number)
			}
			bodies = append(bodies, m.Body[0])
		}})
		time.Sleep(10 * time.Second)
		end(t, c, ran)
		if string(bodies) != "abcde" {
			t.Errorf("delivered %q, want abcde", bodies)
		}
	})
}

func TestSendWaitsForTheSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &edge{nodes: map[string]func(*peer){addrA: func(p *peer) {
			time.Sleep(2 * time.Second)
			p.hello()
			time.Sleep(2 * time.Second)
			b, err := codec.AppendWelcome(nil, &codec.WelcomeMessage{Version: 1, Terms: terms})
			if err != nil {
				t.Error(err)
			}
			p.Write(b)
			p.serve()
		}}}
		c, ran := run(t, Config{Endpoints: []string{addrA}, Dial: e.dial})
		began := time.Now()
		if _, err := c.Send(t.Context(), []byte("x")); err != nil || time.Since(began) != 4*time.Second {
			t.Errorf("Send = %v after %v, want it written as soon as the session is there, at 4s", err, time.Since(began))
		}
		end(t, c, ran)
	})
}

// A server that hears nothing for its timeout evicts, and PONGs that cannot be read are not
// missed. One that dies meanwhile is noticed once there is somebody who reads.
func TestSlowDeliverIsNotTakenForADeadServer(t *testing.T) {
	for _, dies := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			var longest atomic.Int64 // time without a frame of the client's
			e := &edge{nodes: map[string]func(*peer){}}
			e.set(addrA, func(p *peer) {
				e.set(addrA, node)
				p.welcome(codec.WelcomeMessage{Terms: terms})
				out := make(chan []byte, 64)
				go func() {
					for b := range out {
						p.Write(b)
					}
				}()
				defer close(out)
				out <- codec.AppendDeliver(nil, 1, []byte("slow"))
				for last := time.Now(); ; last = time.Now() {
					f, err := p.next()
					if err != nil {
						return
					}
					longest.Store(max(longest.Load(), int64(time.Since(last))))
					if f.Type == codec.Ping && !(dies && time.Since(began) > 5*time.Minute) {
						token, _, _ := codec.ParsePing(f.Payload)
						out <- codec.AppendPong(nil, codec.PongMessage{Token: token, Terms: terms})
					}
				}
			})
			c, ran := run(t, Config{Endpoints: []string{addrA}, Dial: e.dial,
				Deliver: func(Message) { time.Sleep(10 * time.Minute) }})
			time.Sleep(10*time.Minute + time.Second)
			synctest.Wait()
			if info := c.Info(); longest.Load() > int64(30*time.Second) || info.Losses != 0 {
				t.Errorf("up to %v without a frame while the application is slow, %d losses: the server would evict", time.Duration(longest.Load()), info.Losses)
			}
			time.Sleep(40 * time.Second)
			if info := c.Info(); (info.Losses != 0) != dies {
				t.Errorf("server dies %v: Info = %+v after the application was done", dies, info)
			}
			end(t, c, ran)
		})
	}
}

// The reader waits for Deliver, Deliver for Send, Send for a connection that takes
// nothing: only the write timeout can end that.
func TestSendInDeliverSurvivesADeadConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var sessions atomic.Int64
		e := &edge{nodes: map[string]func(*peer){addrA: func(p *peer) {
			p.welcome(codec.WelcomeMessage{Terms: terms})
			if sessions.Add(1) > 1 {
				p.serve()
				return
			}
			p.Write(codec.AppendDeliver(nil, 1, nil))
			mute(p)
		}}}
		sent := make(chan error, 3)
		var c *Client
		ready := make(chan struct{})
		c, ran := run(t, Config{Endpoints: []string{addrA}, Dial: e.dial, MaxQueued: 100,
			Deliver: func(Message) {
				<-ready
				for range 3 {
					_, err := c.Send(t.Context(), make([]byte, 80))
					sent <- err
				}
			}})
		close(ready)
		for range 3 {
			if err := <-sent; err != nil {
				t.Errorf("Send = %v", err)
			}
		}
		if n := sessions.Load(); n != 2 {
			t.Errorf("%d sessions, want a second one", n)
		}
		end(t, c, ran)
	})
}

func TestSendWaitsForRoomAndForItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		open := make(chan struct{})
		e := &edge{nodes: map[string]func(*peer){addrA: func(p *peer) {
			p.welcome(codec.WelcomeMessage{Terms: terms})
			<-open
			p.serve()
		}}}
		c, ran := run(t, Config{Endpoints: []string{addrA}, Dial: e.dial, MaxQueued: 3000})
		for i := range 2 {
			if _, err := c.Send(t.Context(), make([]byte, 1400)); err != nil {
				t.Fatalf("Send %d = %v", i, err)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := c.Send(ctx, make([]byte, 1400)); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Send into a full queue = %v, want the context's end", err)
		}
		if q := c.Info().Queued; q < 2800 || q > 3000 {
			t.Errorf("%d bytes queued, want two messages", q)
		}
		go func() { time.Sleep(time.Second); close(open) }()
		if _, err := c.Send(t.Context(), make([]byte, 1400)); err != nil {
			t.Errorf("Send when there is room again = %v", err)
		}
		if _, err := c.Send(t.Context(), make([]byte, codec.MaxPayload)); !errors.Is(err, ErrTooLarge) || !strings.HasPrefix(err.Error(), "client: message exceeds") {
			t.Errorf("Send of too much = %v, want ErrTooLarge", err)
		}
		end(t, c, ran)
	})
}

// A server that sends and never reads makes the client's ACKs pile up.
func TestAcksThatNobodyReadsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &edge{nodes: map[string]func(*peer){addrA: func(p *peer) {
			p.welcome(codec.WelcomeMessage{Terms: terms})
			for i := range uint64(20000) { // with gaps, or the ACKs would be joined
				if _, err := p.Write(codec.AppendDeliver(nil, 2*i, nil)); err != nil {
					return
				}
			}
		}}}
		c, ran := run(t, Config{Endpoints: []string{addrA}, Dial: e.dial, MaxQueued: 500, WriteTimeout: time.Hour,
			Deliver: func(Message) {}})
		time.Sleep(3 * time.Second)
		if err := c.Info().LastError; !errors.Is(err, errStalled) {
			t.Errorf("LastError = %v, want errStalled", err)
		}
		end(t, c, ran)
	})
}

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
			if err := c.Run(ctx); !errors.Is(err, context.Canceled) {
				t.Errorf("Run = %v, want context.Canceled", err)
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

func TestStateChangeTellsEveryState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var states []State
		e := &edge{nodes: map[string]func(*peer){"node.example:1": node}}
		c, ran := run(t, Config{Endpoints: []string{"node.example:1"}, Dial: e.dial,
			StateChange: func(i Info) { states = append(states, i.State) }})
		time.Sleep(time.Minute)
		end(t, c, ran)
		want := []State{Resolving, Connecting, Handshaking, Ready, Stopped}
		if !slices.Equal(states, want) {
			t.Errorf("states %v, want %v", states, want)
		}
	})
}

// What comes in one piece is told in its order, each with its state.
func TestStatesAreToldBeforeWhatFollowsThem(t *testing.T) {
	for name, tc := range map[string]struct {
		end  codec.Code
		want []string
	}{
		"ready":            {0, []string{"ready", "deliver"}},
		"sent away":        {codec.CodeSlowConsumer, []string{"ready", "deliver", "backing off"}},
		"drained and sent": {codec.CodeDraining, []string{"ready", "deliver", "ready, moving", "backing off"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var got []string
				e := &edge{nodes: map[string]func(*peer){addrA: func(p *peer) {
					if _, err := p.hello(); err != nil {
						return
					}
					b, _ := codec.AppendWelcome(nil, &codec.WelcomeMessage{Version: codec.ProtocolVersion, Terms: terms})
					b = codec.AppendDeliver(b, 1, []byte("hi"))
					if tc.end != 0 {
						b, _ = codec.AppendGoAway(b, &codec.GoAwayMessage{Code: tc.end, Delay: time.Hour})
					}
					if tc.end == codec.CodeDraining {
						b, _ = codec.AppendGoAway(b, &codec.GoAwayMessage{Code: codec.CodeSlowConsumer, Delay: time.Hour})
					}
					p.Write(b)
					readUntilClosed(p)
				}}}
				c, ran := run(t, Config{Endpoints: []string{addrA}, Dial: e.dial,
					Deliver: func(Message) { got = append(got, "deliver") },
					StateChange: func(i Info) {
						s := i.State.String()
						if i.Moving {
							s += ", moving"
						}
						got = append(got, s)
					}})
				time.Sleep(time.Second)
				end(t, c, ran)
				want := append([]string{"connecting", "handshaking"}, append(tc.want, "stopped")...)
				if !slices.Equal(got, want) {
					t.Errorf("told %q, want %q", got, want)
				}
			})
		})
	}
}

func TestSlowStateChangeGetsTheLatestState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var last Info
		var calls int
		release := make(chan struct{})
		e := &edge{nodes: map[string]func(*peer){}} // refuses
		c, ran := run(t, Config{Endpoints: []string{addrA}, Dial: e.dial, BackoffMin: time.Millisecond, BackoffMax: time.Millisecond,
			StateChange: func(i Info) { last = i; calls++; <-release }})
		time.Sleep(2 * time.Second) // some two thousand attempts
		c.mu.Lock()
		queued := len(c.notices)
		c.mu.Unlock()
		if queued > 2*maxNotices {
			t.Errorf("%d notices wait for a slow callback", queued)
		}
		close(release)
		end(t, c, ran)
		if last.State != Stopped || calls < 10 {
			t.Errorf("the last of %d states is %s, want stopped", calls, last.State)
		}
	})
}

func TestNewNamesTheField(t *testing.T) {
	good := Config{Endpoints: []string{addrA}, ID: "a"}
	for want, spoil := range map[string]func(*Config){
		"client: Endpoints is empty":                                                          func(c *Config) { c.Endpoints = nil },
		`client: ID "": codec: invalid field: client id is missing`:                           func(c *Config) { c.ID = "" },
		`client: ID "a\nb": codec: invalid field: client id has the control character U+000A`: func(c *Config) { c.ID = "a\nb" },
		"client: WriteTimeout: -1ns is negative":                                              func(c *Config) { c.WriteTimeout = -1 },
		"client: MaxQueued: -1 is negative":                                                   func(c *Config) { c.MaxQueued = -1 },
	} {
		cfg := good
		spoil(&cfg)
		if _, err := New(cfg); err == nil || err.Error() != want {
			t.Errorf("New = %v, want %s", err, want)
		}
	}
}
