package server

import (
	"testing"

	"github.com/stormwheel/stormwheel/codec"
)

// Messages that are short, each in a read of its own, are opened the short way; the frame that they carry together is
// charged while it is not whole, and then it is one.
func TestAFrameInManyShortMessages(t *testing.T) {
	var bodies []string
	e, c, seal := webSocketLoopOf(t, Config{Handler: Handler{Message: func(s *Session, m Message) {
		bodies = append(bodies, string(m.Body))
		_ = s.Ack(m.Number)
	}}}, senderFrame("alice", 1))
	reactor := (*e.srv.loops.Load())[0].reactor
	for number, body := range []string{"the first of two bodies", "and the second"} {
		frame := codec.AppendSend(nil, uint64(number+1), []byte(body))
		for i := range frame {
			if len(bodies) > number {
				t.Fatalf("%d bytes of %d are a message", i, len(frame))
			}
			c.in = seal(frame[i : i+1])
			e.OnTraffic(c)
			if charged := reactor.Counters().Partial > 0; charged != (i < len(frame)-1) {
				t.Fatalf("behind byte %d of %d something is charged: %v", i+1, len(frame), charged)
			}
		}
		if len(bodies) != number+1 || bodies[number] != body {
			t.Fatalf("%q arrived, want %q", bodies, body)
		}
	}
	written := c.written
	c.in = seal(codec.AppendPing(nil, 2, 0))
	if e.OnTraffic(c); c.written == written {
		t.Error("the next PING has no answer")
	}
}
