package client

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

// What a message is refused for must not make it acknowledged, nor unanswered.
func TestARefusalIsNoAcknowledgement(t *testing.T) {
	for name, c := range map[string]struct {
		deliver func(t *testing.T, m Message)
		want    string
	}{
		"a reason of two lines": {func(t *testing.T, m Message) {
			if err := m.Nack(codec.NackRefused, "disk\nfull"); !errors.Is(err, codec.ErrField) {
				t.Errorf("Nack = %v, want ErrField", err)
			}
		}, "nack 1 refused "},
		"a code of nobody, as a relay may have got it": {func(t *testing.T, m Message) {
			code := codec.NackCode(700)
			if err := m.Nack(code, "far away"); !errors.Is(err, ErrCode) {
				t.Errorf("Nack = %v, want ErrCode", err)
			}
			if err := m.Nack(codec.NackRefused, "far away"); err != nil {
				t.Errorf("the next Nack = %v", err)
			}
		}, "nack 1 refused far away"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				told := make(chan string, 20)
				e := &edge{nodes: map[string]func(*peer){addrA: func(p *peer) {
					p.welcome(codec.WelcomeMessage{Terms: terms})
					p.Write(codec.AppendDeliver(nil, 1, []byte("x")))
					answers(p, told)
				}}}
				client, ran := run(t, Config{Endpoints: []string{addrA}, Dial: e.dial, Deliver: func(m Message) { c.deliver(t, m) }})
				time.Sleep(time.Second)
				select {
				case got := <-told:
					if got != c.want {
						t.Errorf("the server hears %q, want %q", got, c.want)
					}
				default:
					t.Error("the server hears nothing")
				}
				end(t, client, ran)
			})
		})
	}
}

// The answer for a number that was given up makes room for a Send that waits.
func TestALateAnswerWakesWhoWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &edge{nodes: map[string]func(*peer){addrA: func(p *peer) {
			p.welcome(codec.WelcomeMessage{Terms: terms, Limits: codec.Limits{Unsettled: 1}})
			p.handle(func(number uint64, _ []byte) {
				if number == 1 {
					time.Sleep(2 * time.Second)
					p.ack(number)
				}
			})
		}}}
		client, ran := run(t, Config{Endpoints: []string{addrA}, Dial: e.dial})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := client.SendAcked(ctx, []byte("a")); !errors.Is(err, ErrUnknown) {
			t.Errorf("SendAcked = %v, want ErrUnknown", err)
		}
		began := time.Now()
		if _, err := client.Send(t.Context(), []byte("b")); err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("the next Send took %v; the answer came after 1 s", took)
		}
		end(t, client, ran)
	})
}
