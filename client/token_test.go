package client

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

func TestTokenSourceIsAskedBeforeEveryHello(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var tokens []string
		e := &edge{nodes: map[string]func(*peer){addrA: func(p *peer) {
			hello, _ := p.hello()
			tokens = append(tokens, string(hello.Token))
			p.goAway(codec.GoAwayMessage{Code: codec.CodeTokenExpired})
		}}}
		asked := 0
		c, ran := run(t, Config{Endpoints: []string{addrA}, Dial: e.dial, TokenSource: func(context.Context) ([]byte, error) {
			if asked++; asked == 3 {
				return nil, errors.New("issuer is down")
			}
			return []byte(strings.Repeat("t", asked)), nil
		}})
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if len(tokens) < 5 || tokens[0] != "t" || tokens[1] != "tt" || tokens[2] != "tttt" || len(tokens) != asked-1 {
			t.Errorf("asked %d times, HELLOs carried %q", asked, tokens)
		}
		end(t, c, ran)
	})
}

func TestSlowTokenSourceDoesNotBlameTheNode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &edge{nodes: map[string]func(*peer){addrA: node}}
		c, ran := run(t, Config{Endpoints: []string{addrA}, Dial: e.dial, TokenSource: func(ctx context.Context) ([]byte, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}})
		time.Sleep(4600 * time.Millisecond)
		if err := c.Info().LastError; err == nil || !strings.Contains(err.Error(), "TokenSource") {
			t.Errorf("LastError = %v, want the token source's", err)
		}
		if e.dialled() != 0 {
			t.Error("dialled without a token")
		}
		end(t, c, ran)
	})
}
