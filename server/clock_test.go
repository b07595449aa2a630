package server

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

// untilWall grants sessions for an hour by a clock that a test steps.
type untilWall func() time.Time

func (wall untilWall) Authenticate(context.Context, AuthRequest) (AuthGrant, error) {
	return AuthGrant{Expires: wall().Add(time.Hour)}, nil
}

// The time of day may step while the node is overloaded: nobody who is in is lost, whoever has a slot comes
// in at it, and what the node has found of its load stays.
func TestTheTimeOfDayMayStepUnderOverload(t *testing.T) {
	const year = 365 * 24 * time.Hour
	for _, step := range []time.Duration{-70 * year, -2 * time.Hour, 2 * time.Hour, 70 * year} {
		t.Run(fmt.Sprint(step), func(t *testing.T) {
			t.Parallel()
			var stepped atomic.Int64
			wall := func() time.Time { return time.Now().Round(0).Add(time.Duration(stepped.Load())) }
			s, err := New(Config{Listen: "127.0.0.1:0", Loops: 1, Tick: 10 * time.Millisecond, AdmitRate: 20, IDRate: -1, Auth: untilWall(wall)})
			if err != nil {
				t.Fatal(err)
			}
			s.wall = wall
			start(t, s)
			in, _ := joinNode(t, s, "in")
			gone, had := joinNode(t, s, "back")
			pass := append([]byte(nil), had.ReturnPass...)
			gone.Close()
			slot, ticket := takeSlot(t, s)
			l := (*s.loops.Load())[0]
			stop := make(chan struct{})
			defer close(stop)
			go overload(l, stop)
			eventually(t, "the node is overloaded", func() bool { return s.Stats().Pace < 20 })

			stepped.Store(int64(step))
			for slot = later(slot, time.Now().Add(2*s.cfg.Tick)); time.Now().Before(slot); time.Sleep(s.cfg.Tick) {
				in.send(codec.AppendPing(nil, 1, 0))
				in.want(codec.Pong)
			}
			invited := dialNode(t, s)
			invited.send(greeting(t, codec.HelloMessage{ClientID: []byte("invited"), Ticket: ticket}))
			invited.want(codec.Welcome)
			back := dialNode(t, s)
			back.send(greeting(t, codec.HelloMessage{ClientID: []byte("back"), ReturnPass: pass}))
			if f, err := back.next(); err != nil {
				t.Errorf("who shows a pass is told nothing: %v", err)
			} else if m, err := codec.ParseGoAway(f.Payload); f.Type == codec.GoAway && (err != nil || m.Code != codec.CodeBusy || m.Delay > time.Minute) {
				t.Errorf("who shows a pass is told %+v, %v; want WELCOME, or busy for a minute at most", m, err)
			}
			in.send(codec.AppendPing(nil, 2, 0))
			in.want(codec.Pong)
			if st := s.Stats(); st.Pace > 20 || st.Pace < 1 || st.HelloWait != 2*time.Second || st.Evictions() > 0 {
				t.Errorf("pace %v, wait %v, %d evictions", st.Pace, st.HelloWait, st.Evictions())
			}
		})
	}
}

// later is the later of two times.
func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// takeSlot has strangers come until one is given a slot, and returns when that is and the ticket for it.
func takeSlot(t *testing.T, s *Server) (slot time.Time, ticket []byte) {
	t.Helper()
	for {
		w := dialNode(t, s)
		w.send(helloFrame("invited"))
		f, err := w.next()
		if err != nil {
			t.Fatal(err)
		}
		if f.Type == codec.Welcome {
			continue
		}
		m, err := codec.ParseGoAway(f.Payload)
		if err != nil || m.Code != codec.CodeBusy || len(m.Ticket) == 0 {
			t.Fatalf("GOAWAY %+v, %v; want a slot", m, err)
		}
		return time.Now().Add(m.Delay), append([]byte(nil), m.Ticket...)
	}
}

// overload tells the ticker that HELLOs wait, until stop: nobody can make this machine slow for sure.
func overload(l *loop, stop chan struct{}) {
	for {
		select {
		case <-stop:
			return
		default:
			raise(&l.waited, 2*time.Second)
			time.Sleep(time.Millisecond)
		}
	}
}

func greeting(t *testing.T, m codec.HelloMessage) []byte {
	t.Helper()
	m.MinVersion, m.MaxVersion = codec.ProtocolVersion, codec.ProtocolVersion
	b, err := codec.AppendHello(nil, &m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
