package server

import (
	"testing"

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
