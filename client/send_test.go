package client

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

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
