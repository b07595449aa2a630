package client

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

func TestUnsentGivesBackWhatNobodyHasSettled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var incarnation atomic.Uint64
		e := &edge{nodes: map[string]func(*peer){addrA: func(p *peer) {
			hello, _ := p.welcome(codec.WelcomeMessage{Terms: terms})
			incarnation.Store(hello.Incarnation)
			p.obey()
		}}}
		var told []string
		c, ran := run(t, Config{Endpoints: []string{addrA}, Dial: e.dial, Settled: func(number uint64, o Outcome) {
			told = append(told, fmt.Sprint(number, " ", errors.Is(o.Err, ErrClosed) && errors.Is(o.Err, ErrUnknown), " ", string(o.Body)))
		}})
		for _, body := range []string{"keep 1", "take", "keep 3", "cut"} {
			if _, err := c.Send(t.Context(), []byte(body)); err != nil {
				t.Error(err)
			}
		}
		time.Sleep(time.Second)
		if c.Unsent() != nil {
			t.Error("Unsent before the end")
		}
		end(t, c, ran)
		var unsent []string
		for _, m := range c.Unsent() {
			unsent = append(unsent, fmt.Sprint(m.Number, " ", string(m.Body)))
			if m.Incarnation != incarnation.Load() || m.Incarnation != c.Info().Incarnation {
				t.Errorf("%d is of incarnation %x, HELLO said %x, Info %x", m.Number, m.Incarnation, incarnation.Load(), c.Info().Incarnation)
			}
		}
		if want := []string{"1 keep 1", "3 keep 3", "4 cut"}; !slices.Equal(unsent, want) {
			t.Errorf("Unsent = %v, want %v", unsent, want)
		}
		if want := []string{"2 false ", "1 true keep 1", "3 true keep 3", "4 true cut"}; !slices.Equal(told, want) {
			t.Errorf("Settled was told %v, want %v", told, want)
		}
	})
}

// The promise: whatever happens to its servers, each message arrives, in order the first time,
// and its outcome is told once.
func TestEveryMessageArrivesThoughServersAreKilled(t *testing.T) {
	const messages = 3000
	var mu sync.Mutex
	var got []uint64 // numbers in the order of their first arrival
	seen := map[uint64]bool{}
	twice, life := 0, 0
	kill := func(p *peer) {
		mu.Lock()
		life += 37
		left := life % 300
		mu.Unlock()
		p.welcome(codec.WelcomeMessage{Terms: codec.Terms{Interval: 30 * time.Second, Timeout: 75 * time.Second, Window: time.Millisecond}})
		p.handle(func(number uint64, body []byte) {
			mu.Lock()
			defer mu.Unlock()
			if string(body) != fmt.Sprint("message ", number) {
				t.Errorf("%d is %q", number, body)
			}
			if seen[number] {
				twice++
			} else {
				seen[number], got = true, append(got, number)
			}
			if left--; left < 0 {
				p.Close() // with what is on its way
			} else if number%3 > 0 || number == messages {
				p.Write(codec.AppendAck(nil, codec.AckMessage{Range: codec.Range{First: number - number%3, Last: number}}))
			}
		})
	}
	a, b := listen(t, kill), listen(t, kill)
	settled := map[uint64]int{}
	c, ran := run(t, Config{Endpoints: []string{a.Addr().String(), b.Addr().String()}, BackoffMin: time.Millisecond, BackoffMax: 10 * time.Millisecond, Policy: Fixed,
		Settled: func(number uint64, o Outcome) {
			mu.Lock()
			defer mu.Unlock()
			if settled[number]++; o.Err != nil {
				t.Errorf("%d: %v", number, o.Err)
			}
		}})
	for i := range messages {
		if number, err := c.Send(t.Context(), []byte(fmt.Sprint("message ", i+1))); err != nil || number != uint64(i+1) {
			t.Fatalf("Send = %d, %v", number, err)
		}
	}
	eventually(t, "all are settled", func() bool { mu.Lock(); defer mu.Unlock(); return len(settled) == messages })
	end(t, c, ran)
	mu.Lock()
	defer mu.Unlock()
	for number, n := range settled {
		if n != 1 {
			t.Errorf("%d was settled %d times", number, n)
		}
	}
	if len(got) != messages || !slices.IsSorted(got) || twice == 0 {
		t.Errorf("%d arrived, in order: %v, %d more than once", len(got), slices.IsSorted(got), twice)
	}
	t.Logf("%d sessions, %d arrived more than once", c.Info().Sessions, twice)
}

// More than the queue takes is unsettled when the session ends, and goes again.
func TestResendFitsIntoASmallQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var sessions, got atomic.Int32
		e := &edge{nodes: map[string]func(*peer){addrA: func(p *peer) {
			p.welcome(codec.WelcomeMessage{Terms: codec.Terms{Interval: time.Second, Timeout: time.Minute, Window: time.Second}})
			if sessions.Add(1) == 1 {
				p.handle(func(number uint64, _ []byte) {
					if number == 100 {
						p.Close()
					}
				})
				return
			}
			p.handle(func(number uint64, _ []byte) {
				time.Sleep(20 * time.Millisecond)
				got.Add(1)
				p.ack(number)
			})
		}}}
		c, ran := run(t, Config{Endpoints: []string{addrA}, Dial: e.dial, MaxQueued: 1000})
		for range 100 {
			if _, err := c.Send(t.Context(), make([]byte, 20000)); err != nil {
				t.Error(err)
			}
		}
		time.Sleep(time.Minute)
		if i := c.Info(); i.Losses != 1 || i.Unsettled != 0 || got.Load() != 100 {
			t.Errorf("%d came again, Info = %+v", got.Load(), i)
		}
		end(t, c, ran)
	})
}
