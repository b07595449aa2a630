package client

import (
	"errors"

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
				c, ran := run(t, Config{Endpoints: []string{addrA}, Dial: e.dial, Deliver: func(uint64, []byte) {}})
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

// Behind a connection without a socket, a piece may take its time at the least rate, and no
// longer.
func TestWritesWithoutASocketHaveTheLeastRate(t *testing.T) {
	for name, c := range map[string]struct {
		every time.Duration // the server takes 512 bytes so often
		kept  bool
	}{"600 bytes a second": {850 * time.Millisecond, true}, "nothing": {time.Hour, false}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := &edge{nodes: map[string]func(*peer){}}
				e.set(addrA, func(p *peer) {
					e.set(addrA, node)
					p.welcome(codec.WelcomeMessage{Terms: codec.Terms{Interval: time.Hour}})
					for b := make([]byte, 512); ; {
						time.Sleep(c.every)
						if _, err := p.Read(b); err != nil {
							return
						}
					}
				})
				client, ran := run(t, Config{Endpoints: []string{addrA}, Dial: e.dial, MaxPayload: 1 << 20})
				if _, err := client.Send(t.Context(), make([]byte, 60000)); err != nil {
					t.Fatal(err)
				}
				time.Sleep(39 * time.Second)
				if i := client.Info(); i.Losses != 0 {
					t.Errorf("lost after 39s: %v", i.LastError)
				}
				time.Sleep(20 * time.Second)
				synctest.Wait()
				if i := client.Info(); (i.Losses == 0) != c.kept || !c.kept && !errors.Is(i.LastError, errStalled) {
					t.Errorf("%d losses, last error %v", i.Losses, i.LastError)
				}
				end(t, client, ran)
				time.Sleep(2 * c.every)
			})
		})
	}
}
