package server

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

// A handler's close code is its session's alone, also if what was posted before ends that one
// first.
func TestACloseThatComesTooLateHitsNobodyElse(t *testing.T) {
	var s *Server
	big := make([]byte, 60<<10)
	starting := make(chan struct{})
	s = startNode(t, Config{Loops: 1, Handler: Handler{Message: func(own *Session, id uint64, body []byte) {
		<-starting
		switch string(body) {
		case "closed by another":
			closed := make(chan struct{})
			go func() { defer close(closed); _ = s.Close(own.ID(), 3900) }()
			<-closed
			_ = own.Close(codec.CodeReplaced)
		case "too much":
			for range 100 {
				_ = s.Deliver(own.ID(), big)
			}
			_ = own.Close(codec.CodeReplaced)
		default:
			_ = own.Ack(id)
		}
	}}})
	close(starting)
	for _, end := range []string{"closed by another", "too much"} {
		alice, _ := joinNode(t, s, "alice")
		bob, _ := joinNode(t, s, "bob")
		alice.send(codec.AppendSend(nil, 1, []byte(end)))
		for f, err := alice.next(); err == nil && f.Type != codec.GoAway; f, err = alice.next() {
		}
		for id := range uint64(3) {
			bob.send(codec.AppendSend(nil, id+1, []byte("hello")))
			bob.want(codec.Ack)
		}
	}
}

// What a code means is the server's to say, but for those that are applications'.
func TestCloseTakesTheCodesOfApplicationsOnly(t *testing.T) {
	want := func(code codec.Code) bool {
		return code == 0 || code == codec.CodeKicked || code == codec.CodeReplaced || code == codec.CodeSuperseded || code == codec.CodeInUse ||
			code >= 3150 && code <= 3199 || code >= 3450 && code <= 3499 || code >= 3900 && code <= 3999
	}
	s := startNode(t, Config{Loops: 1, Tick: 20 * time.Millisecond})
	w, m := joinNode(t, s, "alice")
	for code := codec.Code(1); code < 4100; code++ {
		if want(code) {
			continue
		}
		if err := s.Close(m.Session, code); !errors.Is(err, ErrCode) {
			t.Fatalf("Server.Close with %d: %v, want ErrCode", code, err)
		}
		if err := (&Session{}).Close(code); !errors.Is(err, ErrCode) {
			t.Fatalf("Session.Close with %d: %v, want ErrCode", code, err)
		}
	}
	for code := range codec.Code(4100) {
		if !want(code) {
			continue
		}
		kick := code
		if code == 0 {
			kick = codec.CodeKicked
		}
		p := newPaper(t, Config{Handler: Handler{Message: func(s *Session, _ uint64, _ []byte) {
			if err := s.Close(code); err != nil {
				t.Errorf("Session.Close with %d: %v", code, err)
			}
		}}})
		slot, c := p.join("alice")
		p.r.Receive(p.now, slot, codec.AppendSend(nil, 1, nil))
		if f, _, _ := codec.Decode(c.in, codec.MaxPayload); f.Type != codec.GoAway {
			t.Errorf("Session.Close with %d: %v", code, f.Type)
		} else if m, err := codec.ParseGoAway(f.Payload); err != nil || m.Code != kick {
			t.Fatalf("Session.Close with %d: the session ends with %d, %v", code, m.Code, err)
		}
	}
	if err := s.Close(m.Session, 3450); err != nil {
		t.Fatal(err)
	}
	w.wantGoAway(3450)
}

// Methods that are called from a wrong goroutine, all the time, reach their own client at most.
func TestASessionUsedFromAWrongGoroutineReachesItsOwnClientOnly(t *testing.T) {
	var kept atomic.Pointer[Session]
	s := startNode(t, Config{Loops: 1, MaxFrameRate: -1, Handler: Handler{Message: func(s *Session, id uint64, body []byte) {
		if string(body) == "keep me" {
			kept.Store(s)
		}
		_ = s.Ack(id)
	}}})
	own, _ := joinNode(t, s, "own")
	other, _ := joinNode(t, s, "other")
	own.send(codec.AppendSend(nil, 1, []byte("keep me")))
	own.want(codec.Ack)
	stop := make(chan struct{})
	var wrong sync.WaitGroup
	wrong.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				_ = kept.Load().Deliver([]byte("wrong"))
				_ = kept.Load().ClientID()
			}
		}
	})
	for range 300 {
		own.send(codec.AppendSend(nil, 1, []byte("x")))
		other.send(codec.AppendSend(nil, 1, []byte("x")))
		for {
			f, err := own.next()
			if err != nil {
				t.Fatal(err)
			}
			if f.Type == codec.Ack {
				break
			}
		}
		other.want(codec.Ack)
	}
	close(stop)
	wrong.Wait()
}
