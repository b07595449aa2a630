package client

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

// The promise: a drained client is never without a session, and nothing is lost.
func TestDrainedClientMovesWithoutAGap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		drain := make(chan struct{})
		var old []codec.Type
		e := &edge{nodes: map[string]func(*peer){
			addrA: func(p *peer) {
				if _, err := p.welcome(codec.WelcomeMessage{Terms: terms, Node: []byte("a")}); err != nil {
					return
				}
				go func() {
					<-drain
					p.goAway(codec.GoAwayMessage{Code: codec.CodeDraining, Alternates: []byte(addrB)})
					time.Sleep(700 * time.Millisecond) // the session has moved by then
					p.Write(codec.AppendDeliver(nil, 1, []byte("late")))
				}()
				old = p.serve()
			},
			addrB: func(p *peer) {
				time.Sleep(500 * time.Millisecond)
				node(p)
			},
		}}
		var mu sync.Mutex
		var states []State
		var moving []bool
		acked := map[uint64]bool{}
		var late string
		c, ran := run(t, Config{Endpoints: []string{addrA}, Dial: e.dial,
			StateChange: func(i Info) {
				mu.Lock()
				states, moving = append(states, i.State), append(moving, i.Moving)
				mu.Unlock()
			},
			Settled: func(id uint64, o Outcome) { mu.Lock(); acked[id] = true; mu.Unlock() },
			Deliver: func(m Message) { mu.Lock(); late = string(m.Body); mu.Unlock() },
		})
		time.Sleep(time.Minute)
		close(drain)
		for range 200 { // over the whole of the move
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			if _, err := c.Send(ctx, []byte("x")); err != nil {
				t.Error(err)
			}
			cancel()
			if s := c.Info().State; s != Ready {
				t.Errorf("state %s during the move", s)
			}
			time.Sleep(20 * time.Millisecond)
		}
		synctest.Wait()
		mu.Lock()
		if len(acked) != 200 || late != "late" {
			t.Errorf("%d of 200 messages acknowledged, the late one is %q", len(acked), late)
		}
		if i := slices.Index(states, Ready); i < 0 || slices.ContainsFunc(states[i:], func(s State) bool { return s != Ready }) ||
			!slices.Equal(moving[i:], []bool{false, true, false}) {
			t.Errorf("states %v, moving %v", states, moving)
		}
		mu.Unlock()
		if info := c.Info(); info.Node != addrB || info.Endpoint != addrB || info.Losses != 0 || info.Sessions != 2 || info.Dials != 2 {
			t.Errorf("Info = %+v", info)
		}
		if n := len(old); n == 0 || old[n-1] != codec.Bye || !slices.Contains(old, codec.Ack) {
			t.Errorf("the old node got %v, want an ACK and BYE at the end", old)
		}
		end(t, c, ran)
	})
}

// The node dies before the client has found another one.
func TestDrainedClientWhoseNodeDiesGoesOnWithItsAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &edge{nodes: map[string]func(*peer){
			addrA: func(p *peer) {
				p.welcome(codec.WelcomeMessage{Terms: terms, Alternates: []byte(addrB)})
				time.Sleep(10 * time.Second)
				p.goAway(codec.GoAwayMessage{Code: codec.CodeDraining})
				time.Sleep(time.Second)
			},
			addrB: func(p *peer) {
				time.Sleep(2 * time.Second)
				node(p)
			},
		}}
		c, ran := run(t, Config{Endpoints: []string{addrA}, Dial: e.dial})
		time.Sleep(12*time.Second + 500*time.Millisecond)
		synctest.Wait()
		if info := c.Info(); info.State != Ready || info.Endpoint != addrB || info.Losses != 1 || info.Dials != 2 {
			t.Errorf("Info = %+v, want a session at the other node with the second dial", info)
		}
		end(t, c, ran)
	})
}

// Until the move, what is sent waits for the old node, and its room is what counts.
func TestSendsWaitForTheOldNodeUntilTheMove(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &edge{nodes: map[string]func(*peer){
			addrA: func(p *peer) {
				p.welcome(codec.WelcomeMessage{Terms: terms, Alternates: []byte(addrB)})
				p.goAway(codec.GoAwayMessage{Code: codec.CodeDraining})
				mute(p)
			},
			addrB: readUntilClosed,
		}}
		c, ran := run(t, Config{Endpoints: []string{addrA}, Dial: e.dial, MaxQueued: 1000})
		time.Sleep(time.Second)
		synctest.Wait()
		if _, err := c.Send(t.Context(), make([]byte, 2000)); err != nil {
			t.Fatal(err)
		}
		if q := c.Info().Queued; q < 2000 {
			t.Errorf("%d bytes queued, want the message", q)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := c.Send(ctx, []byte("x")); err == nil {
			t.Error("Send does not wait for the old node's room")
		}
		end(t, c, ran)
	})
}

// Whoever closes a client while it moves leaves nothing behind: Run returns, or synctest
// reports the goroutines.
func TestCloseDuringAMove(t *testing.T) {
	for name, after := range map[string]time.Duration{"connecting": 0, "handshaking": 100 * time.Millisecond,
		"leaving": 700 * time.Millisecond, "bye": 1600 * time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := &edge{nodes: map[string]func(*peer){
					addrA: func(p *peer) {
						p.welcome(codec.WelcomeMessage{Terms: terms, Alternates: []byte(addrB)})
						p.goAway(codec.GoAwayMessage{Code: codec.CodeDraining})
						readUntilClosed(p)
					},
					addrB: func(p *peer) {
						time.Sleep(500 * time.Millisecond)
						node(p)
					},
				}}
				c, ran := run(t, Config{Endpoints: []string{addrA}, Dial: e.dial})
				time.Sleep(after)
				synctest.Wait()
				end(t, c, ran)
			})
		})
	}
}
