package client

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

// unplugged is a node whose first session falls silent, as when the client's address is
// gone: nothing arrives in either direction any more. Later ones are served.
func unplugged() func(*peer) {
	var sessions atomic.Int64
	return func(p *peer) {
		if sessions.Add(1) > 1 {
			node(p)
			return
		}
		p.welcome(codec.WelcomeMessage{Terms: terms})
		readUntilClosed(p)
	}
}

// The promise: a single phone that changes networks on a healthy node is soon back, at
// that node if there is no other, whatever the window is.
func TestNetworkChangeReplacesADeadConnection(t *testing.T) {
	for range 20 { // a draw over the window is seldom short
		synctest.Test(t, func(t *testing.T) {
			e := &edge{nodes: map[string]func(*peer){addrA: unplugged()}}
			c, ran := run(t, Config{Endpoints: []string{addrA}, Dial: e.dial})
			time.Sleep(10 * time.Second)
			c.NetworkChanged()
			time.Sleep(2 * time.Second)
			synctest.Wait()
			if info := c.Info(); info.State != Ready || info.Sessions != 2 || info.Losses != 1 {
				t.Errorf("Info = %+v, want a new session within two seconds", info)
			}
			end(t, c, ran)
		})
	}
}

func TestNetworkChangeOnARealSocket(t *testing.T) {
	noLeaks(t)
	a := listen(t, unplugged())
	c, ran := run(t, Config{Endpoints: []string{a.Addr().String()}})
	defer end(t, c, ran)
	eventually(t, "ready", func() bool { return c.Info().State == Ready })
	c.NetworkChanged()
	eventually(t, "a second session, long before a heartbeat misses its answer", func() bool { return c.Info().Sessions == 2 })
}

func TestNetworkChangedProbesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &edge{nodes: map[string]func(*peer){addrA: node}}
		c, ran := run(t, Config{Endpoints: []string{addrA}, Dial: e.dial})
		time.Sleep(time.Second)
		c.NetworkChanged()
		synctest.Wait()
		if info := c.Info(); info.Pings != 1 || info.Pongs != 1 {
			t.Errorf("%d PINGs and %d PONGs, want one probe", info.Pings, info.Pongs)
		}
		time.Sleep(10 * time.Second)
		if info := c.Info(); info.Pings != 1 || info.Losses != 0 || info.Dials != 1 {
			t.Errorf("Info = %+v, want the session undisturbed", info)
		}
		end(t, c, ran)
	})
}

func TestSuspendIsSeenByTheWallClock(t *testing.T) {
	for _, c := range []struct {
		slept time.Duration
		want  bool
	}{
		{0, false},
		{time.Second, false},       // a step of the clock
		{-20 * time.Second, false}, // set back
		{time.Hour, true},
	} {
		synctest.Test(t, func(t *testing.T) {
			e := &edge{nodes: map[string]func(*peer){addrA: unplugged()}}
			client, ran := run(t, Config{Endpoints: []string{addrA}, Dial: e.dial})
			time.Sleep(time.Second)
			client.mu.Lock()
			client.slept -= c.slept
			client.mu.Unlock()
			time.Sleep(33 * time.Second) // an interval, a probe and a return
			synctest.Wait()
			if info := client.Info(); (info.Sessions == 2) != c.want || info.Pings != 1 {
				t.Errorf("slept %v: Info = %+v, want a new session: %v", c.slept, info, c.want)
			}
			end(t, client, ran)
		})
	}
}
