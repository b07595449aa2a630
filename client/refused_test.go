package client

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

// A node of another version, and a good one: the client is in, and somebody can read why not
// at the first.
func TestABadNodeEndsNoClient(t *testing.T) {
	for _, code := range []codec.Code{codec.CodeProtocolError, codec.CodeFrameTooLarge, codec.CodeVersion, codec.CodeUnauthorized, 3777, 3900} {
		synctest.Test(t, func(t *testing.T) {
			bad := func(p *peer) {
				p.hello()
				p.goAway(codec.GoAwayMessage{Code: code})
			}
			e := &edge{nodes: map[string]func(*peer){addrA: bad, addrB: bad}}
			log := &logged{}
			var told atomic.Int64
			c, ran := run(t, Config{Endpoints: []string{addrA, addrB}, Dial: e.dial, Logger: log.logger(), StateChange: func(i Info) {
				var ce *CodeError
				if i.State == BackingOff && errors.As(i.LastError, &ce) && ce.Code == code && i.Refused {
					told.Add(1)
				}
			}})
			synctest.Wait()
			if info := c.Info(); info.Dials != 2 || info.State != BackingOff || !info.Refused || told.Load() == 0 {
				t.Errorf("%d: Info = %+v, want both tried, and a wait", code, info)
			}
			if text := log.String(); strings.Count(text, "level=ERROR") != 2 {
				t.Errorf("%d: the log says %s", code, text)
			}
			e.set(addrB, node)
			time.Sleep(4 * time.Minute)
			synctest.Wait()
			if info := c.Info(); info.State != Ready || info.Refused || info.Endpoint != addrB {
				t.Errorf("%d: Info = %+v, want the good node", code, info)
			}
			end(t, c, ran)
		})
	}
}

// An application that does not want to wait for what may never be mended.
func TestAnApplicationMayGiveUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &edge{nodes: map[string]func(*peer){addrA: func(p *peer) {
			p.hello()
			p.goAway(codec.GoAwayMessage{Code: codec.CodeUnauthorized})
		}}}
		var c *Client
		made := make(chan struct{})
		c, ran := run(t, Config{Endpoints: []string{addrA}, Dial: e.dial, StateChange: func(i Info) {
			if <-made; i.Refused {
				c.Close()
			}
		}})
		close(made)
		if err := <-ran; err != nil {
			t.Errorf("Run = %v", err)
		}
	})
}

func TestTheApplicationsNeverIsObeyedInASession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &edge{nodes: map[string]func(*peer){addrA: func(p *peer) {
			p.welcome(codec.WelcomeMessage{Terms: terms})
			p.goAway(codec.GoAwayMessage{Code: 3950})
		}}}
		_, ran := run(t, Config{Endpoints: []string{addrA}, Dial: e.dial})
		var ce *CodeError
		if err := <-ran; !errors.As(err, &ce) || ce.Code != 3950 {
			t.Errorf("Run = %v", err)
		}
	})
}
