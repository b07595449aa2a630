package client

import (
	"context"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// A node whose SYNs are dropped, and a token that takes its time: neither is cut shorter by
// the adapter than the link's patience, which has grown.
func TestPatienceOfTheLinkIsThatOfTheClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var dials, tokens []time.Duration
		enough := make(chan struct{})
		c, ran := run(t, Config{Endpoints: []string{addrA},
			TokenSource: func(ctx context.Context) ([]byte, error) {
				deadline, _ := ctx.Deadline()
				tokens = append(tokens, time.Until(deadline))
				return []byte("token"), nil
			},
			Dial: func(ctx context.Context, network, addr string) (net.Conn, error) {
				began := time.Now()
				<-ctx.Done()
				if dials = append(dials, time.Since(began)); len(dials) == 5 {
					close(enough)
				}
				return nil, ctx.Err()
			}})
		<-enough
		synctest.Wait()
		if got := c.Info().ConnectTimeout; got != 40*time.Second {
			t.Errorf("Info.ConnectTimeout = %v, want 40s", got)
		}
		for i, want := range []time.Duration{5, 10, 20, 40, 40} {
			if want *= time.Second; dials[i] != want || tokens[i] != want*9/10 {
				t.Fatalf("connects had %v, tokens %v; want 5, 10, 20, 40, 40 s and nine tenths of it", dials, tokens)
			}
		}
		end(t, c, ran)
	})
}

func TestWelcomeTimeoutIsToldAndReset(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &edge{nodes: map[string]func(*peer){addrA: readUntilClosed}}
		c, ran := run(t, Config{Endpoints: []string{addrA}, Dial: e.dial})
		synctest.Wait()
		if got := c.Info().WelcomeTimeout; got != 5*time.Second {
			t.Errorf("at first %v, want 5s", got)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := c.Info().WelcomeTimeout; got < 20*time.Second {
			t.Errorf("after a minute without WELCOME %v, want 20s or 40s", got)
		}
		e.set(addrA, node)
		time.Sleep(time.Minute)
		synctest.Wait()
		if info := c.Info(); info.State != Ready || info.WelcomeTimeout != 5*time.Second {
			t.Errorf("in the end %s with %v, want ready with 5s", info.State, info.WelcomeTimeout)
		}
		end(t, c, ran)
	})
}
