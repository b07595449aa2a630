package client

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

// handle reads SENDs, and PINGs that it answers, until the connection ends.
func (p *peer) handle(send func(number uint64, body []byte)) {
	for {
		f, err := p.next()
		if err != nil {
			return
		}
		switch f.Type {
		case codec.Ping:
			token, _, _ := codec.ParsePing(f.Payload)
			p.Write(codec.AppendPong(nil, codec.PongMessage{Token: token, Terms: terms}))
		case codec.Send:
			number, body, _ := codec.ParseMessage(f.Payload)
			send(number, body)
		}
	}
}

func (p *peer) ack(number uint64) { p.Write(codec.AppendAck(nil, codec.AckOf(number))) }

func (p *peer) nack(number uint64, code codec.NackCode, reason string) {
	b, err := codec.AppendNack(nil, &codec.NackMessage{Number: number, Code: code, Reason: []byte(reason)})
	if err != nil {
		panic(err)
	}
	p.Write(b)
}

// obedient does with a SEND what its body says.
func obedient(p *peer) {
	p.welcome(codec.WelcomeMessage{Terms: terms})
	p.obey()
}

func (p *peer) obey() {
	p.handle(func(number uint64, body []byte) {
		switch string(body) {
		case "take":
			p.ack(number)
		case "refuse":
			p.nack(number, codec.NackBusy, "no room")
		case "cut":
			p.Close()
		}
	})
}

// The error says which: it has it, it does not want it, nobody knows, or nothing was sent.
func TestSendAckedSaysWhatBecameOfTheMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &edge{nodes: map[string]func(*peer){addrA: obedient}}
		settled := make(chan uint64, 10)
		c, ran := run(t, Config{Endpoints: []string{addrA}, Dial: e.dial, AtMostOnce: true,
			Settled: func(number uint64, _ Outcome) { settled <- number }})
		if err := c.SendAcked(t.Context(), []byte("take")); err != nil {
			t.Errorf("SendAcked = %v", err)
		}
		err := c.SendAcked(t.Context(), []byte("refuse"))
		if r := (*RefusedError)(nil); !errors.As(err, &r) || r.Code != codec.NackBusy || r.Reason != "no room" || !r.Again() {
			t.Errorf("SendAcked of what is refused = %v", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := c.SendAcked(ctx, []byte("keep")); !errors.Is(err, ErrUnknown) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("SendAcked without an answer = %v", err)
		}
		if n := c.Info().Unsettled; n != 0 {
			t.Errorf("%d unsettled after its context has ended", n)
		}
		if err := c.SendAcked(t.Context(), []byte("cut")); !errors.Is(err, ErrUnknown) || !errors.Is(err, ErrLost) {
			t.Errorf("SendAcked over a connection that is lost = %v", err)
		}
		if err := c.SendAcked(ctx, []byte("take")); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, ErrUnknown) {
			t.Errorf("SendAcked without a session = %v", err)
		}
		if err := c.SendAcked(t.Context(), make([]byte, codec.MaxPayload)); !errors.Is(err, ErrTooLarge) || errors.Is(err, ErrUnknown) {
			t.Errorf("SendAcked of too much = %v", err)
		}
		go func() {
			for c.Info().Unsettled == 0 {
				time.Sleep(time.Second)
			}
			c.Close()
		}()
		if err := c.SendAcked(t.Context(), []byte("keep")); !errors.Is(err, ErrUnknown) || !errors.Is(err, ErrClosed) {
			t.Errorf("SendAcked of a client that is closed = %v", err)
		}
		if err := c.SendAcked(t.Context(), nil); !errors.Is(err, ErrClosed) || errors.Is(err, ErrUnknown) {
			t.Errorf("SendAcked after Close = %v", err)
		}
		<-ran
		if len(settled) != 0 || c.Unsent() != nil {
			t.Errorf("Settled was told of %d, and %v is unsent: its callers know", len(settled), c.Unsent())
		}
	})
}

// Outcomes keep what was refused or lost, whatever is sent after it; those that nobody takes are
// bounded.
func TestSettledGivesBackTheBody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &edge{nodes: map[string]func(*peer){addrA: func(p *peer) {
			p.welcome(codec.WelcomeMessage{Terms: terms})
			write := oneWriter(p)
			p.handle(func(number uint64, body []byte) {
				switch b, _ := codec.AppendNack(nil, &codec.NackMessage{Number: number, Code: codec.NackBusy}); {
				case string(body) == "cut":
					p.Close()
				case string(body[:4]) == "take":
					write <- codec.AppendAck(nil, codec.AckOf(number))
				default:
					write <- b
				}
			})
			close(write)
		}}}
		sent := map[uint64]string{}
		told := map[uint64]Outcome{}
		block := make(chan struct{})
		c, ran := run(t, Config{Endpoints: []string{addrA}, Dial: e.dial, AtMostOnce: true, Settled: func(number uint64, o Outcome) {
			<-block
			told[number] = o
		}})
		for i := range 40 {
			body := fmt.Sprint([]string{"take", "refuse"}[i%2], " ", i)
			number, err := c.Send(t.Context(), []byte(body))
			if sent[number] = body; err != nil {
				t.Error(err)
			}
		}
		close(block)
		time.Sleep(time.Second)
		number, _ := c.Send(t.Context(), []byte("cut"))
		sent[number] = "cut"
		time.Sleep(time.Second)
		if c.mu.Lock(); c.bodies != 0 {
			t.Errorf("%d bytes of bodies are counted when all is told", c.bodies)
		}
		c.bodies = c.maxBodies()
		c.mu.Unlock()
		number, _ = c.Send(t.Context(), []byte("refuse, and nobody has room"))
		sent[number] = ""
		time.Sleep(time.Second)
		end(t, c, ran)
		for number, body := range sent {
			if o, ok := told[number]; !ok || (o.Err == nil) != strings.HasPrefix(body, "take") || o.Err != nil && string(o.Body) != body || o.Err == nil && o.Body != nil {
				t.Errorf("%d %q: %+v", number, body, o)
			}
		}
	})
}

func TestNothingIsSentWhenTheContextHasEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got atomic.Int64
		e := &edge{nodes: map[string]func(*peer){addrA: func(p *peer) {
			p.welcome(codec.WelcomeMessage{Terms: terms})
			p.handle(func(uint64, []byte) { got.Add(1) })
		}}}
		c, ran := run(t, Config{Endpoints: []string{addrA}, Dial: e.dial})
		synctest.Wait()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if number, err := c.Send(ctx, []byte("a")); number != 0 || !errors.Is(err, context.Canceled) {
			t.Errorf("Send = %d, %v", number, err)
		}
		if err := c.SendAcked(ctx, []byte("b")); !errors.Is(err, context.Canceled) || errors.Is(err, ErrUnknown) {
			t.Errorf("SendAcked = %v", err)
		}
		if err := c.Post(ctx, []byte("c")); !errors.Is(err, context.Canceled) {
			t.Errorf("Post = %v", err)
		}
		synctest.Wait()
		if i := c.Info(); i.State != Ready || i.Unsettled != 0 || got.Load() != 0 {
			t.Errorf("%s, %d unsettled, the server got %d", i.State, i.Unsettled, got.Load())
		}
		end(t, c, ran)
	})
}

func TestPostWantsNoAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got := make(chan string, 10)
		e := &edge{nodes: map[string]func(*peer){addrA: func(p *peer) {
			p.welcome(codec.WelcomeMessage{Terms: terms, Limits: codec.Limits{Unsettled: 1}})
			p.handle(func(number uint64, body []byte) { got <- fmt.Sprint(number, " ", string(body)) })
		}}}
		c, ran := run(t, Config{Endpoints: []string{addrA}, Dial: e.dial})
		if _, err := c.Send(t.Context(), []byte("a")); err != nil {
			t.Error(err)
		}
		if err := c.Post(t.Context(), []byte("b")); err != nil { // though the window is full
			t.Error(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := c.Send(ctx, []byte("c")); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Send while one is unsettled = %v", err)
		}
		if a, b := <-got, <-got; a != "1 a" || b != "0 b" {
			t.Errorf("the server got %q and %q", a, b)
		}
		if n := c.Info().Unsettled; n != 1 {
			t.Errorf("%d unsettled", n)
		}
		end(t, c, ran)
	})
}

// One of a range that fails does not keep the others from being told.
func TestSettledThatPanicsIsToldTheRest(t *testing.T) {
	for name, fail := range failures {
		synctest.Test(t, func(t *testing.T) {
			e := &edge{nodes: map[string]func(*peer){addrA: func(p *peer) {
				p.welcome(codec.WelcomeMessage{Terms: terms})
				p.handle(func(number uint64, _ []byte) {
					if number == 5 {
						p.Write(codec.AppendAck(nil, codec.AckMessage{Range: codec.Range{First: 0, Last: 9}, What: 3}))
					}
				})
			}}}
			var told []uint64
			c, ran := run(t, Config{Endpoints: []string{addrA}, Dial: e.dial, Logger: (&logged{}).logger(),
				Settled: func(number uint64, o Outcome) {
					if told = append(told, number); number == 2 {
						fail()
					}
					if o.What != 3 || o.Err != nil {
						t.Errorf("%d: %+v", number, o)
					}
				}})
			for range 5 {
				c.Send(t.Context(), nil)
			}
			wantPanic(t, <-ran, "Settled")
			if !slices.Equal(told, []uint64{1, 2, 3, 4, 5}) {
				t.Errorf("%s: told of %v", name, told)
			}
		})
	}
}
