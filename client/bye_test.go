package client

import (
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

// A message that crosses with BYE is nobody's: it gets no ACK, and whoever waits for one
// gets the end of the connection.
func TestServerThatWaitsForAnAckAfterByeGetsTheEnd(t *testing.T) {
	for name, move := range map[string]bool{"Close": false, "a move": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var byeAt, endAt atomic.Int64
				var acks atomic.Int64
				began := time.Now()
				e := &edge{nodes: map[string]func(*peer){addrB: node}}
				e.set(addrA, func(p *peer) {
					p.welcome(codec.WelcomeMessage{Terms: terms, Alternates: []byte(addrB)})
					if move {
						p.goAway(codec.GoAwayMessage{Code: codec.CodeDraining})
					}
					for {
						f, err := p.next()
						if err != nil {
							endAt.Store(int64(time.Since(began)))
							return
						}
						switch f.Type {
						case codec.Ping:
							token, _, _ := codec.ParsePing(f.Payload)
							p.Write(codec.AppendPong(nil, codec.PongMessage{Token: token, Terms: terms}))
						case codec.Bye:
							byeAt.Store(int64(time.Since(began)))
							go func() {
								for id := uint64(1); ; id++ { // and it goes on
									if _, err := p.Write(codec.AppendDeliver(nil, id, []byte("crossed"))); err != nil {
										return
									}
									time.Sleep(100 * time.Millisecond)
								}
							}()
						case codec.Ack:
							acks.Add(1)
						}
					}
				})
				c, ran := run(t, Config{Endpoints: []string{addrA}, Dial: e.dial, Deliver: func(Message) {}})
				time.Sleep(5 * time.Second)
				if move {
					synctest.Wait()
					if i := c.Info(); i.State != Ready || i.Endpoint != addrB || i.Losses != 0 {
						t.Errorf("Info = %+v, want the session on the other node", i)
					}
				}
				end(t, c, ran)
				time.Sleep(time.Second)
				bye, end := time.Duration(byeAt.Load()), time.Duration(endAt.Load())
				if bye == 0 || end == 0 || end-bye > time.Second || acks.Load() != 0 {
					t.Errorf("BYE at %v, the end at %v, %d ACKs; want the end within a second and no ACK", bye, end, acks.Load())
				}
			})
		})
	}
}

// Who answers a message after BYE hears that nobody gets the answer.
func TestAckAfterByeIsAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		told := make(chan string, 10)
		var bye atomic.Bool
		e := &edge{nodes: map[string]func(*peer){addrB: node}}
		e.set(addrA, func(p *peer) {
			p.welcome(codec.WelcomeMessage{Terms: terms, Alternates: []byte(addrB)})
			for id := range uint64(3) {
				p.Write(codec.AppendDeliver(nil, id+1, nil))
			}
			p.goAway(codec.GoAwayMessage{Code: codec.CodeDraining})
			for {
				switch f, err := p.next(); {
				case err != nil:
					return
				case f.Type == codec.Ping:
					token, _, _ := codec.ParsePing(f.Payload)
					p.Write(codec.AppendPong(nil, codec.PongMessage{Token: token, Terms: terms}))
				case f.Type == codec.Ack:
					m, _ := codec.ParseAck(f.Payload)
					told <- fmt.Sprint(m.First, "-", m.Last, " ", m.What)
				case f.Type == codec.Bye:
					bye.Store(true) // and the connection stays for a second
				}
			}
		})
		messages := make(chan Message, 3)
		c, ran := run(t, Config{Endpoints: []string{addrA}, Dial: e.dial, Deliver: func(m Message) { m.AckLater(); messages <- m }})
		one, two, three := <-messages, <-messages, <-messages
		if err := one.Ack(); err != nil {
			t.Errorf("Ack = %v", err)
		}
		for !bye.Load() {
			time.Sleep(10 * time.Millisecond)
		}
		if err := two.Ack(); !errors.Is(err, ErrAnswered) {
			t.Errorf("Ack after BYE = %v", err)
		}
		if err := three.Nack(codec.NackBusy, ""); !errors.Is(err, ErrAnswered) {
			t.Errorf("Nack after BYE = %v", err)
		}
		end(t, c, ran)
		if got := <-told; got != "1-1 0" || len(told) != 0 {
			t.Errorf("the server got %s, and %d more", got, len(told))
		}
	})
}
