package client

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

// granting is a node that lets clients in for a time, and takes the tokens that good says.
type granting struct {
	grant    time.Duration
	good     func(token string) bool
	sessions atomic.Int64
	renewed  atomic.Int64
	refused  atomic.Int64
	deaf     bool // it answers PINGs, and looks at no token
}

func (n *granting) serve(p *peer) {
	hello, err := p.hello()
	if err != nil {
		return
	}
	if !n.good(string(hello.Token)) {
		p.goAway(codec.GoAwayMessage{Code: codec.CodeTokenExpired})
		return
	}
	b, _ := codec.AppendWelcome(nil, &codec.WelcomeMessage{Version: codec.ProtocolVersion, Terms: terms, Expires: n.grant})
	p.Write(b)
	n.sessions.Add(1)
	end := time.AfterFunc(n.grant, func() { p.goAway(codec.GoAwayMessage{Code: codec.CodeTokenExpired}); p.Close() })
	defer end.Stop()
	for {
		f, err := p.next()
		if err != nil || f.Type == codec.Bye {
			return
		}
		if f.Type != codec.Ping {
			continue
		}
		number, _, _ := codec.ParsePing(f.Payload)
		pong := codec.PongMessage{Token: number, Terms: terms}
		if token := codec.Renewal(f.Payload); len(token) > 0 && !n.deaf {
			if n.good(string(token)) {
				n.renewed.Add(1)
				end.Reset(n.grant)
				pong.Expires = n.grant
			} else {
				n.refused.Add(1)
			}
		}
		p.Write(codec.AppendPong(nil, pong))
	}
}

// A grant that is renewed ends no session: a day of grants of ten minutes is one session.
func TestAGrantThatEndsCostsNoReconnect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int64
		last := ""
		n := &granting{grant: 10 * time.Minute, good: func(token string) bool {
			fresh := token != last
			last = token
			return fresh
		}}
		e := &edge{nodes: map[string]func(*peer){addrA: n.serve}}
		c, ran := run(t, Config{Endpoints: []string{addrA}, Dial: e.dial, TokenSource: func(context.Context) ([]byte, error) {
			return fmt.Append(nil, asked.Add(1)), nil
		}})
		time.Sleep(24 * time.Hour)
		info := c.Info()
		if info.Sessions != 1 || info.Losses != 0 || info.State != Ready || n.refused.Load() != 0 {
			t.Errorf("%d sessions, %d losses, %v, %d tokens refused; want one session", info.Sessions, info.Losses, info.State, n.refused.Load())
		}
		if renewed := n.renewed.Load(); renewed < 24*60/9 || renewed > 24*60/7+1 {
			t.Errorf("%d renewals in a day of grants of 10 minutes, want one after 7 to 9 minutes each", renewed)
		}
		if left := time.Until(info.Expires); left <= 0 || left > n.grant {
			t.Errorf("Info tells the end of the grant in %v", left)
		}
		end(t, c, ran)
	})
}

// What a source does at a renewal costs the session nothing before its grant ends, and the source
// is asked for the next connection all the same.
func TestASourceThatFailsAtARenewalCostsNothingBeforeTheEnd(t *testing.T) {
	faults := map[string]func(context.Context) ([]byte, error){
		"error":     func(context.Context) ([]byte, error) { return nil, errors.New("no token today") },
		"no token":  func(context.Context) ([]byte, error) { return nil, nil },
		"too long":  func(context.Context) ([]byte, error) { return make([]byte, codec.MaxToken+1), nil },
		"refused":   func(context.Context) ([]byte, error) { return []byte("bad"), nil },
		"slow":      func(ctx context.Context) ([]byte, error) { <-ctx.Done(); return nil, ctx.Err() },
		"very slow": func(context.Context) ([]byte, error) { time.Sleep(time.Minute); return []byte("good"), nil },
		"hangs":     nil,
	}
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				hung := make(chan struct{})
				if name == "hangs" {
					fault = func(context.Context) ([]byte, error) { <-hung; return nil, nil }
				}
				n := &granting{grant: time.Hour, good: func(token string) bool { return token == "good" }}
				e := &edge{nodes: map[string]func(*peer){addrA: n.serve}}
				var asked atomic.Int64
				log := &logged{}
				c, ran := run(t, Config{Endpoints: []string{addrA}, Dial: e.dial, Logger: log.logger(), TokenSource: func(ctx context.Context) ([]byte, error) {
					if asked.Add(1) == 1 {
						return []byte("good"), nil // for the connection
					}
					return fault(ctx)
				}})
				time.Sleep(59 * time.Minute)
				if info := c.Info(); info.Sessions != 1 || info.Losses != 0 || info.State != Ready {
					t.Errorf("before the end of the grant: %d sessions, %d losses, %v", info.Sessions, info.Losses, info.State)
				}
				if got := asked.Load() - 1; name == "hangs" && got != 1 || name != "hangs" && (got < 1 || got > 10) {
					t.Errorf("asked %d times, want one or a few, and one if it hangs", got)
				}
				if said := strings.Contains(log.String(), "not renewed"); said == (name == "refused") {
					t.Errorf("the log says %q", log.String())
				}
				close(hung)
				end(t, c, ran)
				time.Sleep(time.Minute) // for a source that is very slow
			})
		})
	}
}

// A node that never confirms is asked again and again, and at the end of the grant the client
// comes back with a token.
func TestWhoIsNotRenewedComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &granting{grant: time.Hour, deaf: true, good: func(string) bool { return true }}
		e := &edge{nodes: map[string]func(*peer){addrA: n.serve}}
		c, ran := run(t, Config{Endpoints: []string{addrA}, Dial: e.dial, TokenSource: func(context.Context) ([]byte, error) { return []byte("t"), nil }})
		time.Sleep(150 * time.Minute)
		if info := c.Info(); info.Sessions != 3 || info.State != Ready {
			t.Errorf("%d sessions, %v; want three of an hour each", info.Sessions, info.State)
		}
		end(t, c, ran)
	})
}

// Close does not wait for a source that hangs at a renewal longer than for anything else.
func TestCloseDoesNotWaitForARenewal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hung := make(chan struct{})
		var asked atomic.Int64
		n := &granting{grant: time.Hour, good: func(string) bool { return true }}
		e := &edge{nodes: map[string]func(*peer){addrA: n.serve}}
		c, ran := run(t, Config{Endpoints: []string{addrA}, Dial: e.dial, TokenSource: func(context.Context) ([]byte, error) {
			if asked.Add(1) > 1 {
				<-hung
			}
			return []byte("t"), nil
		}})
		for asked.Load() < 2 {
			time.Sleep(time.Second)
		}
		began := time.Now()
		end(t, c, ran)
		if took := time.Since(began); asked.Load() != 2 || took > hangUpTimeout+time.Second {
			t.Errorf("asked %d times, and the end took %v", asked.Load(), took)
		}
		close(hung)
	})
}
