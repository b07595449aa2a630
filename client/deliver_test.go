package client

import (
	"bytes"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

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
