package servertest_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/server"
	"github.com/stormwheel/stormwheel/server/servertest"
)

func TestRequestsAndReplies(t *testing.T) {
	h := server.Handler{Message: func(s *server.Session, m server.Message) {
		if m.WantsReply {
			_ = s.Reply(m.Number, m.Body)
		} else {
			_ = s.Ack(m.Number)
		}
	}}
	inBubble(t, server.Config{Handler: h}, func(t *testing.T, n *servertest.Node) {
		c := n.Join("alice")
		first, second := c.Send([]byte("one")), c.Request([]byte("two"))
		c.ExpectAck(first)
		c.ExpectReply(second, []byte("two"))
		type result struct {
			reply []byte
			err   error
		}
		results := make(chan result)
		ask := func() {
			go func() {
				reply, err := n.Server.Request(t.Context(), c.Ref(), []byte("still there?"))
				results <- result{reply, err}
			}()
			n.Settle()
		}
		ask()
		n.Advance(time.Minute)
		c.Reply(c.ExpectRequest([]byte("still there?")), []byte("yes"))
		if r := <-results; string(r.reply) != "yes" || r.err != nil {
			t.Errorf("%q, %v", r.reply, r.err)
		}
		ask()
		c.Nack(c.ExpectRequest([]byte("still there?")), codec.NackRefused)
		if r := <-results; !errors.As(r.err, new(*server.RefusedError)) {
			t.Errorf("%q, %v", r.reply, r.err)
		}
		ask()
		c.ExpectRequest([]byte("still there?"))
		c.Silence()
		n.Advance(2 * time.Minute)
		if r := <-results; !errors.Is(r.err, server.ErrLost) {
			t.Errorf("%q, %v", r.reply, r.err)
		}
	})
}
