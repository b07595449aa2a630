package server

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/siege"
)

// mixed is a node to which everything is done at once, from everywhere.
type mixed struct {
	s  *Server
	to *siege.Target

	mu      sync.Mutex
	refs    []Ref    // of sessions that were there lately; guarded by mu
	senders []Sender // guarded by mu
	awaited atomic.Int64
	settled atomic.Int64
}

func (m *mixed) remember(s *Session) {
	ref, from := s.Ref(), s.Sender()
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.refs) > 64 {
		m.refs, m.senders = m.refs[1:], m.senders[1:]
	}
	m.refs, m.senders = append(m.refs, ref), append(m.senders, from)
}

func (m *mixed) somebody() (Ref, Sender) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.refs) == 0 {
		return Ref{}, Sender{}
	}
	i := rand.IntN(len(m.refs))
	return m.refs[i], m.senders[i]
}

func (m *mixed) told(Outcome) { m.settled.Add(1) }

// within is what a callback does.
func (m *mixed) within(s *Session) {
	switch rand.IntN(30) {
	case 0:
		_ = s.PauseRead()
	case 1:
		_ = s.ResumeRead()
	case 2, 3:
		_ = s.Join(fmt.Sprint("g", rand.IntN(3)))
	case 4:
		_ = s.Leave(fmt.Sprint("g", rand.IntN(3)))
	case 5:
		if s.DeliverFunc(make([]byte, rand.IntN(2000)), m.told) == nil {
			m.awaited.Add(1)
		}
	case 6:
		if s.RequestFunc([]byte("?"), m.told) == nil {
			m.awaited.Add(1)
		}
	case 7:
		_ = s.DeliverOptional(make([]byte, rand.IntN(2000)))
	case 8:
		_ = s.Extend(time.Now().Add(time.Duration(rand.IntN(3000)) * time.Millisecond))
	case 9:
		_ = s.Move(nil)
	case 10:
		_ = s.SetData(s.Data())
	case 11:
		_ = s.Close(Close{Reason: "mixed"})
	case 12:
		panic("mixed")
	}
}

// outside is what another goroutine does.
func (m *mixed) outside() {
	s := m.s
	ref, from := m.somebody()
	group := fmt.Sprint("g", rand.IntN(3))
	switch rand.IntN(20) {
	case 0, 1:
		_ = s.Deliver(ref, make([]byte, rand.IntN(2000)))
	case 2:
		if s.DeliverFunc(ref, []byte("x"), m.told) == nil {
			m.awaited.Add(1)
		}
	case 3:
		ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
		_, _ = s.Request(ctx, ref, []byte("?"))
		cancel()
	case 4, 5:
		_ = s.AckRange(from, 1, 1<<40, 0)
	case 6:
		_ = s.Nack(from, uint64(1+rand.IntN(20)), codec.NackBusy, "mixed")
	case 7:
		_ = s.Reply(from, uint64(1+rand.IntN(20)), []byte("well"))
	case 8, 9:
		_ = s.Do(ref, m.within)
	case 10:
		_ = s.Move(ref, nil)
	case 11:
		_ = s.Close(ref, Close{})
	case 12:
		_ = s.Join(ref, group)
	case 13, 14:
		_ = s.Publish(group, make([]byte, rand.IntN(2000)))
	case 15:
		_ = s.Broadcast([]byte("all"), func(v *Session) bool { m.within(v); return rand.IntN(2) == 0 })
	case 16:
		ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
		_ = s.Each(ctx, m.within)
		_, _ = s.Members(ctx, group, Ref{}, 10)
		cancel()
	case 17:
		s.Lookup(fmt.Sprint("id", rand.IntN(6)))
		s.Stats()
	case 18:
		_ = s.PauseRead(ref)
	case 19:
		_ = s.ResumeRead(ref)
	}
}

// client comes, speaks, and goes, again and again, as one process.
func (m *mixed) client(ctx context.Context, i int) {
	var attempt uint32
	var pass []byte
	number := uint64(0)
	for ctx.Err() == nil {
		attempt++
		w := m.to.Peer("client")
		if w.Dial(ctx) != nil {
			continue
		}
		b, _ := codec.AppendHello(nil, &codec.HelloMessage{MinVersion: 1, MaxVersion: 1, ClientID: fmt.Append(nil, "id", i%6),
			Incarnation: uint64(i), Attempt: attempt, ReturnPass: pass, Token: []byte("t")})
		_, _ = w.Write(b)
		for ctx.Err() == nil {
			f, err := w.Next()
			if err != nil || f.Type == codec.GoAway {
				break
			}
			b = b[:0]
			switch f.Type {
			case codec.Welcome:
				if welcome, err := codec.ParseWelcome(f.Payload); err == nil {
					pass = append([]byte(nil), welcome.ReturnPass...)
				}
			case codec.Deliver:
				if id, _, err := codec.ParseMessage(f.Payload); err == nil && id != 0 {
					if b = codec.AppendAck(b, codec.AckOf(id)); rand.IntN(2) == 0 {
						b = codec.AppendReply(b[:0], codec.Send, id, []byte("well"))
					}
				}
			}
			for range rand.IntN(4) {
				number++
				b = codec.AppendSend(b, number, make([]byte, rand.IntN(100)))
			}
			if b = codec.AppendPing(b, number, 0); rand.IntN(8) == 0 {
				b, _ = codec.AppendRenewal(b, 1, 1, []byte("again"))
			}
			if rand.IntN(60) == 0 {
				b = codec.AppendBye(b)
			}
			if rand.IntN(60) == 0 {
				break
			}
			_, _ = w.Write(b)
		}
		if rand.IntN(3) == 0 {
			_ = w.Reset()
		}
		w.Close()
	}
}

// Whatever is done to a node from everywhere, nothing of it is left.
func TestEverythingAtOnceOverSockets(t *testing.T) {
	for _, policy := range []Duplicates{StandBeside, Replace, Refuse} {
		t.Run(policy.String(), func(t *testing.T) {
			var m mixed
			cfg := Config{Loops: 3, Tick: 5 * time.Millisecond, Duplicates: policy, Index: policy == StandBeside, MaxConns: 20, AdmitRate: 1e6,
				Alternates: []string{"127.0.0.1:9"}, MaxFrameRate: -1, MaxByteRate: -1,
				Auth: authFunc(func(_ context.Context, r AuthRequest) (AuthGrant, error) {
					g := AuthGrant{Expires: time.Now().Add(time.Duration(rand.IntN(2000)) * time.Millisecond), Data: 1}
					if rand.IntN(2) == 0 {
						g.Limits = &Limits{FrameRate: 100}
					}
					return g, nil
				}),
				Handler: Handler{
					Opened: func(s *Session) { m.remember(s); m.within(s) },
					Message: func(s *Session, msg Message) {
						if rand.IntN(2) == 0 {
							_ = s.Ack(msg.Number)
						}
						m.within(s)
					},
					Missed: func(s *Session, _ string, _ int) { m.within(s) },
					Closed: func(s *Session, _ Reason) { m.within(s) },
				}}
			m.s = startNode(t, cfg)
			m.to = &siege.Target{Addr: m.s.Addr(), Stage: transportOf(t).Client}
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			var all sync.WaitGroup
			for i := range 30 {
				all.Go(func() { m.client(ctx, i) })
			}
			for range 4 {
				all.Go(func() {
					for ctx.Err() == nil {
						m.outside()
						time.Sleep(50 * time.Microsecond)
					}
				})
			}
			all.Wait()
			wantNothingLeft(t, m.s)
			eventually(t, "nothing is counted", func() bool {
				st := m.s.Stats()
				return st.Memberships == 0 && st.Paused == 0 && st.Kept == 0 && st.Draining == 0 && st.Sessions == 0
			})
			if m.s.node.Roster.Len() != 0 || m.s.node.Conns.Knocking() != 0 {
				t.Errorf("%d are on the roster, %d knock", m.s.node.Roster.Len(), m.s.node.Conns.Knocking())
			}
			eventually(t, "all that is awaited has an outcome", func() bool { return m.awaited.Load() == m.settled.Load() })
		})
	}
}
