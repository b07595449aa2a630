package client

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

func TestStateChangeTellsEveryState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var states []State
		e := &edge{nodes: map[string]func(*peer){"node.example:1": node}}
		c, ran := run(t, Config{Endpoints: []string{"node.example:1"}, Dial: e.dial,
			StateChange: func(i Info) { states = append(states, i.State) }})
		time.Sleep(time.Minute)
		end(t, c, ran)
		want := []State{Resolving, Connecting, Handshaking, Ready, Stopped}
		if !slices.Equal(states, want) {
			t.Errorf("states %v, want %v", states, want)
		}
	})
}

// What comes in one piece is told in its order, each with its state.
func TestStatesAreToldBeforeWhatFollowsThem(t *testing.T) {
	for name, tc := range map[string]struct {
		end  codec.Code
		want []string
	}{
		"ready":            {0, []string{"ready", "deliver"}},
		"sent away":        {codec.CodeSlowConsumer, []string{"ready", "deliver", "backing off"}},
		"drained and sent": {codec.CodeDraining, []string{"ready", "deliver", "ready, moving", "backing off"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var got []string
				e := &edge{nodes: map[string]func(*peer){addrA: func(p *peer) {
					if _, err := p.hello(); err != nil {
						return
					}
					b, _ := codec.AppendWelcome(nil, &codec.WelcomeMessage{Version: codec.ProtocolVersion, Terms: terms})
					b = codec.AppendDeliver(b, 1, []byte("hi"))
					if tc.end != 0 {
						b, _ = codec.AppendGoAway(b, &codec.GoAwayMessage{Code: tc.end, Delay: time.Hour})
					}
					if tc.end == codec.CodeDraining {
						b, _ = codec.AppendGoAway(b, &codec.GoAwayMessage{Code: codec.CodeSlowConsumer, Delay: time.Hour})
					}
					p.Write(b)
					readUntilClosed(p)
				}}}
				c, ran := run(t, Config{Endpoints: []string{addrA}, Dial: e.dial,
					Deliver: func(Message) { got = append(got, "deliver") },
					StateChange: func(i Info) {
						s := i.State.String()
						if i.Moving {
							s += ", moving"
						}
						got = append(got, s)
					}})
				time.Sleep(time.Second)
				end(t, c, ran)
				want := append([]string{"connecting", "handshaking"}, append(tc.want, "stopped")...)
				if !slices.Equal(got, want) {
					t.Errorf("told %q, want %q", got, want)
				}
			})
		})
	}
}

func TestSlowStateChangeGetsTheLatestState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var last Info
		var calls int
		release := make(chan struct{})
		e := &edge{nodes: map[string]func(*peer){}} // refuses
		c, ran := run(t, Config{Endpoints: []string{addrA}, Dial: e.dial, BackoffMin: time.Millisecond, BackoffMax: time.Millisecond,
			StateChange: func(i Info) { last = i; calls++; <-release }})
		time.Sleep(2 * time.Second) // some two thousand attempts
		c.mu.Lock()
		queued := len(c.notices)
		c.mu.Unlock()
		if queued > 2*maxNotices {
			t.Errorf("%d notices wait for a slow callback", queued)
		}
		close(release)
		end(t, c, ran)
		if last.State != Stopped || calls < 10 {
			t.Errorf("the last of %d states is %s, want stopped", calls, last.State)
		}
	})
}
