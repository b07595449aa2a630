package client

import (
	"context"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

const addrA, addrB = "10.0.0.1:7000", "10.0.0.2:7000"

func TestHoursOfHeartbeats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var pings atomic.Int64
		var gaps []time.Duration
		e := &edge{nodes: map[string]func(*peer){addrA: func(p *peer) {
			p.welcome(codec.WelcomeMessage{Terms: terms})
			for last := time.Now(); ; {
				f, err := p.next()
				if err != nil || f.Type != codec.Ping {
					return
				}
				gaps = append(gaps, time.Since(last))
				last = time.Now()
				pings.Add(1)
				token, _, _ := codec.ParsePing(f.Payload)
				p.Write(codec.AppendPong(nil, codec.PongMessage{Token: token, Terms: terms}))
			}
		}}}
		c, ran := run(t, Config{Endpoints: []string{addrA}, Dial: e.dial})
		time.Sleep(12 * time.Hour)
		synctest.Wait()
		info := c.Info()
		if n := pings.Load(); n < 12*3600/30 || n > 12*3600/24 || info.Pings != uint32(n) || info.Pongs != info.Pings {
			t.Errorf("%d PINGs read in 12h of 24s to 30s; Info says %d and %d PONGs", n, info.Pings, info.Pongs)
		}
		if low, high := slices.Min(gaps), slices.Max(gaps); low < 24*time.Second || high > 30*time.Second {
			t.Errorf("PINGs %v to %v apart, want 24s to 30s", low, high)
		}
		if info.Losses != 0 || info.Dials != 1 || info.State != Ready {
			t.Errorf("Info = %+v, want one undisturbed session", info)
		}
		end(t, c, ran)
	})
}

// Promise 4: a dead server is noticed in one interval + one pong timeout, however busy
// the client is.
func TestSilentServerIsNoticedWhileAWriterIsBusy(t *testing.T) {
	for name, silent := range map[string]func(*peer){
		"reads but never answers": readUntilClosed,
		"does not even read":      mute,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := &edge{nodes: map[string]func(*peer){addrA: func(p *peer) {
					p.welcome(codec.WelcomeMessage{Terms: terms})
					silent(p)
				}}}
				var lost atomic.Int64
				began := time.Now()
				c, ran := run(t, Config{Endpoints: []string{addrA}, Dial: e.dial, StateChange: func(i Info) {
					if i.State == BackingOff {
						lost.CompareAndSwap(0, int64(time.Since(began)))
					}
				}})
				for range 60 {
					ctx, cancel := context.WithTimeout(t.Context(), time.Second)
					c.Send(ctx, []byte("x"))
					<-ctx.Done()
					cancel()
				}
				if d := time.Duration(lost.Load()); d == 0 || d > 40*time.Second || d < 10*time.Second {
					t.Errorf("noticed after %v, want within 30s + 10s", d)
				}
				end(t, c, ran)
			})
		})
	}
}

func TestFailoverToTheOtherNode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &edge{nodes: map[string]func(*peer){}}
		kill := make(chan struct{})
		first := func(p *peer) {
			p.welcome(codec.WelcomeMessage{Terms: terms, Node: []byte(p.addr)})
			<-kill
		}
		e.set(addrA, first)
		e.set(addrB, first)
		c, ran := run(t, Config{Endpoints: []string{addrA, addrB}, Dial: e.dial})
		time.Sleep(time.Second)
		was := c.Info().Node
		e.set(addrA, node)
		e.set(addrB, node)
		e.set(was, nil) // kill -9: the connection breaks and nobody listens
		close(kill)
		time.Sleep(61 * time.Second)
		info := c.Info()
		if info.State != Ready || info.Node == was || info.Sessions != 2 || info.Dials != 2 || info.Losses != 1 {
			t.Errorf("was at %s; Info = %+v, want the other node with one attempt", was, info)
		}
		end(t, c, ran)
	})
}

func TestNewNamesTheField(t *testing.T) {
	good := Config{Endpoints: []string{addrA}, ID: "a"}
	for want, spoil := range map[string]func(*Config){
		"client: Endpoints is empty":                                                          func(c *Config) { c.Endpoints = nil },
		`client: ID "": codec: invalid field: client id is missing`:                           func(c *Config) { c.ID = "" },
		`client: ID "a\nb": codec: invalid field: client id has the control character U+000A`: func(c *Config) { c.ID = "a\nb" },
		"client: WriteTimeout: -1ns is negative":                                              func(c *Config) { c.WriteTimeout = -1 },
		"client: MaxQueued: -1 is negative":                                                   func(c *Config) { c.MaxQueued = -1 },
	} {
		cfg := good
		spoil(&cfg)
		if _, err := New(cfg); err == nil || err.Error() != want {
			t.Errorf("New = %v, want %s", err, want)
		}
	}
}
