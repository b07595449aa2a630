package servertest_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/server"
	"github.com/stormwheel/stormwheel/server/servertest"
)

// A handler that sends everything back, and its test: an answer, an acknowledgement, and the end
// of a client that falls silent.
func Example() {
	echo := server.Handler{Message: func(s *server.Session, m server.Message) {
		_ = s.Deliver(m.Body)
		_ = s.Ack(m.Number)
	}}
	TestEcho := func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			n := servertest.New(t, server.Config{Handler: echo, Heartbeat: 30 * time.Second, Timeout: 75 * time.Second})
			alice := n.Join("alice")

			id := alice.Send([]byte("hello"))
			alice.ExpectDeliver([]byte("hello"))
			alice.ExpectAck(id)

			n.Advance(time.Hour) // its heartbeats come
			alice.ExpectNothing()

			alice.Silence()
			n.Advance(76 * time.Second)
			alice.ExpectGoAway(codec.CodeHeartbeatTimeout)
		})
	}
	_ = TestEcho
}
