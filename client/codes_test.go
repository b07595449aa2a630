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

func TestCodesOfEachRangeAreObeyed(t *testing.T) {
	for _, c := range []struct {
		code  codec.Code
		delay time.Duration
		here  bool          // whether to return to the same node
		after time.Duration // at the latest
	}{
		{codec.CodeBusy, 7 * time.Second, true, 7 * time.Second},
		{codec.CodeKicked, 0, true, time.Second},
		{codec.CodeDraining, 0, false, 0},
		{codec.CodeFull, 3 * time.Second, false, 3 * time.Second},
	} {
		t.Run(c.code.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var sent atomic.Bool
				away := func(p *peer) {
					if !sent.CompareAndSwap(false, true) {
						node(p)
						return
					}
					p.hello()
					p.goAway(codec.GoAwayMessage{Code: c.code, Delay: c.delay})
				}
				e := &edge{nodes: map[string]func(*peer){addrA: away, addrB: away}}
				cl, ran := run(t, Config{Endpoints: []string{addrA, addrB}, Dial: e.dial})
				time.Sleep(c.delay - 1)
				synctest.Wait()
				if n := e.dialled(); c.delay > 0 && n != 1 {
					t.Errorf("%d dials before the delay was over", n)
				}
				time.Sleep(c.after - c.delay + 2)
				synctest.Wait()
				if info := cl.Info(); info.State != Ready || (e.dials[0] == e.dials[1]) != c.here {
					t.Errorf("dials %v, state %s", e.dials, info.State)
				}
				end(t, cl, ran)
			})
		})
	}
	t.Run("replaced", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			e := &edge{nodes: map[string]func(*peer){addrA: func(p *peer) {
				p.hello()
				p.goAway(codec.GoAwayMessage{Code: codec.CodeReplaced, Reason: []byte("who?")})
			}}}
			var log logged
			c, ran := run(t, Config{Endpoints: []string{addrA}, Dial: e.dial, Logger: log.logger()})
			var ce *CodeError
			if err := <-ran; !errors.As(err, &ce) || ce.Code != codec.CodeReplaced || ce.Reason != "who?" {
				t.Errorf("Run = %v, want replaced", err)
			}
			if !strings.Contains(log.String(), "code=replaced reason=who?") {
				t.Errorf("the log does not tell what the server said: %s", log.String())
			}
			c.Close() // too late to change the reason
			if _, err := c.Send(t.Context(), nil); !errors.Is(err, ErrClosed) || !errors.As(err, &ce) {
				t.Errorf("Send = %v, want closed by the code", err)
			}
		})
	})
}
