package client

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

// calm are terms without a PING, and a peer that writes by oneWriter alone: one that waits for a
// Mutex, as net.Pipe's, keeps the time of synctest from going on.
var calm = codec.Terms{Interval: time.Hour, Timeout: 10 * time.Hour}

func oneWriter(p *peer) chan<- []byte {
	write := make(chan []byte, 1000)
	go func() {
		for b := range write {
			p.Write(b)
		}
	}()
	return write
}

// Deliver sends, and the answers that make room for that stand behind what it has not taken.
func TestSendInDeliverWaitsForAnswersThatAreRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const messages = 50
		var answered atomic.Int32
		e := &edge{nodes: map[string]func(*peer){addrA: func(p *peer) {
			p.welcome(codec.WelcomeMessage{Terms: calm, Limits: codec.Limits{Unsettled: 1}})
			write := oneWriter(p)
			for i := range uint64(messages) {
				write <- codec.AppendDeliver(nil, i+1, []byte(strings.Repeat(fmt.Sprintf("%03d", i+1), 500)))
			}
			p.handle(func(number uint64, _ []byte) { write <- codec.AppendAck(nil, codec.AckOf(number)); answered.Add(1) })
			close(write)
		}}}
		var c *Client
		ready := make(chan struct{})
		c, ran := run(t, Config{Endpoints: []string{addrA}, Dial: e.dial, Settled: func(uint64, Outcome) {}, Deliver: func(m Message) {
			<-ready
			for range 3 {
				if _, err := c.Send(t.Context(), []byte("echo")); err != nil {
					t.Error(err)
				}
			}
			if string(m.Body) != strings.Repeat(fmt.Sprintf("%03d", m.Number), 500) {
				t.Errorf("the body of %d has changed under Deliver", m.Number)
			}
		}})
		close(ready)
		time.Sleep(time.Minute)
		if n := answered.Load(); n != 3*messages {
			t.Errorf("%d were sent, want %d", n, 3*messages)
		}
		c.mu.Lock()
		for _, k := range c.conns {
			if k.ahead != 0 {
				t.Errorf("%d bytes are read ahead when all is handled", k.ahead)
			}
		}
		c.mu.Unlock()
		end(t, c, ran)
	})
}

// A callback may wait for the answer to what it sends.
func TestSendAckedInDeliver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		told := make(chan error, 10)
		e := &edge{nodes: map[string]func(*peer){addrA: func(p *peer) {
			p.welcome(codec.WelcomeMessage{Terms: calm})
			write := oneWriter(p)
			for i := range uint64(10) {
				write <- codec.AppendDeliver(nil, i+1, make([]byte, 3000))
			}
			p.handle(func(number uint64, _ []byte) { write <- codec.AppendAck(nil, codec.AckOf(number)) })
			close(write)
		}}}
		var c *Client
		ready := make(chan struct{})
		c, ran := run(t, Config{Endpoints: []string{addrA}, Dial: e.dial, Deliver: func(m Message) {
			<-ready
			told <- c.SendAcked(t.Context(), m.Body)
		}})
		close(ready)
		for range cap(told) {
			if err := <-told; err != nil {
				t.Error(err)
			}
		}
		end(t, c, ran)
	})
}

// What a server sends beyond what may wait is bounded here as well.
func TestMessagesThatWaitForAnAnswerAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		told := make(chan string, 20)
		e := &edge{nodes: map[string]func(*peer){addrA: func(p *peer) {
			p.welcome(codec.WelcomeMessage{Terms: terms})
			for i := range uint64(257) {
				p.Write(codec.AppendDeliver(nil, i+1, nil))
			}
			answers(p, told)
		}}}
		c, ran := run(t, Config{Endpoints: []string{addrA}, Dial: e.dial, Deliver: Message.AckLater})
		if got := <-told; got != "nack 257 busy " {
			t.Errorf("the server got %q", got)
		}
		end(t, c, ran)
	})
}
