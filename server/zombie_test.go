package server

import (
	"context"
	"sync"
	"testing"

	"github.com/stormwheel/stormwheel/codec"
)

// What lies in a balancer outlives a run of the node: a HELLO that its client has long given up comes to the
// next run, with the return pass of a session of the former. The handle in that pass is somebody else's now.

// attemptFrame is the HELLO of an attempt of incarnation 7.
func attemptFrame(t *testing.T, attempt uint32, pass []byte) []byte {
	t.Helper()
	b, err := codec.AppendHello(nil, &codec.HelloMessage{MinVersion: 1, MaxVersion: 1, ClientID: []byte("alice"),
		Incarnation: 7, Attempt: attempt, ReturnPass: pass})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// ledger is which connections a handler was given messages of, by the attempt and the number.
type ledger struct {
	mu  sync.Mutex
	all map[[2]uint64]int
}

func (l *ledger) handler() Handler {
	return Handler{Message: func(s *Session, m Message) {
		l.mu.Lock()
		l.all[[2]uint64{uint64(s.Attempt()), m.Number}]++
		l.mu.Unlock()
		_ = s.Ack(m.Number)
	}}
}

func (l *ledger) times(attempt, number uint64) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all[[2]uint64{attempt, number}]
}

// restarted is a node in its second run, with the return pass that alice had of the first, and bob, who has
// the handle in the second that she had then.
func restarted(t *testing.T, policy Duplicates) (s *Server, taken *ledger, bob *wire, pass []byte) {
	t.Helper()
	taken = &ledger{all: map[[2]uint64]int{}}
	cfg := Config{Listen: freePort(t), Loops: 1, Duplicates: policy, ClusterSecrets: [][]byte{make([]byte, MinSecret)},
		Handler: taken.handler()}
	first := startNode(t, cfg)
	alice := dialNode(t, first)
	alice.send(attemptFrame(t, 5, nil))
	before, err := codec.ParseWelcome(alice.want(codec.Welcome).Payload)
	if err != nil {
		t.Fatal(err)
	}
	pass = append(pass, before.ReturnPass...)
	now, cancel := context.WithCancel(t.Context())
	cancel()
	if err := first.Stop(now); err != nil {
		t.Fatal(err)
	}
	s = startNode(t, cfg)
	bob, m := joinNode(t, s, "bob")
	if m.Session.Handle != before.Session.Handle || m.Session.Epoch == before.Session.Epoch {
		t.Fatalf("bob is %v, alice was %v: not a handle of two runs", m.Session, before.Session)
	}
	return s, taken, bob, pass
}

// lives has a session show that it goes on.
func lives(w *wire) {
	w.t.Helper()
	w.send(codec.AppendPing(nil, 77, 1))
	if m, err := codec.ParsePong(w.want(codec.Pong).Payload); err != nil || m.Token != 77 {
		w.t.Fatalf("PONG %+v, %v", m, err)
	}
}

func TestAHelloReadByTheNextRunDisplacesNobody(t *testing.T) {
	for _, policy := range []Duplicates{StandBeside, Replace, Refuse} {
		t.Run(policy.String(), func(t *testing.T) {
			t.Parallel()
			s, taken, bob, pass := restarted(t, policy)
			alice := dialNode(t, s)
			alice.send(attemptFrame(t, 7, pass))
			alice.want(codec.Welcome)
			zombie := dialNode(t, s)
			zombie.send(attemptFrame(t, 6, pass))
			if policy == StandBeside { // the node knows nobody by the id
				zombie.want(codec.Welcome)
				alice.send(codec.AppendSend(nil, 1, nil))
				alice.want(codec.Ack)
				zombie.send(codec.AppendSend(nil, 1, nil))
				zombie.send(codec.AppendSend(nil, 2, nil))
				lives(zombie)
				if taken.times(7, 1) != 1 || taken.times(6, 1) != 0 || taken.times(6, 2) != 0 {
					t.Errorf("handled: %v; an attempt that is not the newest has nothing to say", taken.all)
				}
			} else {
				zombie.wantGoAway(codec.CodeSuperseded)
				if got := s.Lookup("alice"); len(got) != 1 {
					t.Errorf("%d sessions of alice, want her own", len(got))
				}
			}
			lives(alice)
			lives(bob)
		})
	}
}

// The late HELLO is read first: it is let in, for nobody can know better, and makes way.
func TestAHelloReadByTheNextRunMakesWay(t *testing.T) {
	for _, policy := range []Duplicates{StandBeside, Replace, Refuse} {
		t.Run(policy.String(), func(t *testing.T) {
			t.Parallel()
			s, taken, bob, pass := restarted(t, policy)
			zombie := dialNode(t, s)
			zombie.send(attemptFrame(t, 6, pass))
			zombie.want(codec.Welcome)
			alice := dialNode(t, s)
			alice.send(attemptFrame(t, 7, pass))
			alice.want(codec.Welcome)
			alice.send(codec.AppendSend(nil, 1, nil))
			alice.want(codec.Ack)
			zombie.send(codec.AppendSend(nil, 1, nil))
			zombie.send(codec.AppendSend(nil, 2, nil))
			lives(zombie) // it has been read; superseded, it stays for a moment
			if taken.times(7, 1) != 1 || taken.times(6, 1) != 0 || taken.times(6, 2) != 0 {
				t.Errorf("handled: %v", taken.all)
			}
			if policy != StandBeside {
				zombie.wantGoAway(codec.CodeSuperseded)
				if got := s.Lookup("alice"); len(got) != 1 {
					t.Errorf("%d sessions of alice, want the later attempt's", len(got))
				}
			}
			lives(alice)
			lives(bob)
		})
	}
}
