package client

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

// A server that sends more than the client takes is named before the first such message costs a session, once
// however many sessions there are; who gives the client room gets the message.
func TestAServerOfLargerMessagesIsNamedBeforeTheyCome(t *testing.T) {
	const told = 1 << 20
	body := make([]byte, told-8)
	for _, most := range []int{0, told} {
		synctest.Test(t, func(t *testing.T) {
			large := make(chan struct{})
			e := &edge{nodes: map[string]func(*peer){addrA: func(p *peer) {
				m := codec.WelcomeMessage{Terms: terms, Limits: codec.Limits{MaxDeliver: told}}
				if _, err := p.welcome(m); err != nil {
					return
				}
				go func() {
					<-large
					p.Write(codec.AppendDeliver(nil, 0, body))
				}()
				p.serve()
			}}}
			var log logged
			came := 0
			c, ran := run(t, Config{Endpoints: []string{addrA}, Dial: e.dial, MaxPayload: most, Logger: log.logger(),
				Deliver: func(m Message) { came += len(m.Body) }})
			synctest.Wait()
			want := 0
			if most == 0 {
				want = 1
			}
			const sentence = "the server sends payloads of up to 1048576 bytes, and Config.MaxPayload takes 65536"
			if info, text := c.Info(), log.String(); info.State != Ready || info.MaxDeliver != told || strings.Count(text, sentence) != want {
				t.Errorf("MaxPayload %d: Info = %+v, the log says %s", most, info, text)
			}
			close(large)
			synctest.Wait()
			if most != 0 {
				if info := c.Info(); came != len(body) || info.Losses != 0 {
					t.Errorf("%d bytes came, Info = %+v", came, info)
				}
			} else if info := c.Info(); !errors.Is(info.LastError, codec.ErrLength) || info.Losses != 1 {
				t.Errorf("Info = %+v, want a loss that names the length", info)
			}
			time.Sleep(10 * time.Minute) // other sessions
			if text := log.String(); strings.Count(text, sentence) != want || most == 0 && c.Info().Sessions < 2 {
				t.Errorf("MaxPayload %d, after %d sessions the log says %s", most, c.Info().Sessions, text)
			}
			end(t, c, ran)
		})
	}
}
