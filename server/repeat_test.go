package server_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/server"
	"github.com/stormwheel/stormwheel/server/servertest"
)

// What a handler sees of messages that come again, on a node in memory and its own clock.

// connect is a connect of one process, which shows no return pass.
func connect(n *servertest.Node, attempt uint32) *servertest.Client {
	c := n.Dial()
	c.Hello(codec.HelloMessage{ClientID: []byte("alice"), Incarnation: 99, Attempt: attempt})
	c.ExpectWelcome()
	return c
}

// A message that comes again within five minutes after its client's last session is known, and settled
// with what was said meanwhile; later it is new.
func TestAMessageIsRememberedForFiveMinutes(t *testing.T) {
	var given []uint64
	var from server.Sender
	h := server.Handler{Message: func(s *server.Session, m server.Message) {
		given = append(given, m.Number)
		from = s.Sender()
	}}
	withNode(t, server.Config{Handler: h}, func(t *testing.T, n *servertest.Node) {
		c := connect(n, 1)
		number := c.Send([]byte("hello"))
		c.Close()
		n.Advance(5*time.Minute - time.Second)
		if err := n.Server.Ack(from, number); err != nil {
			t.Fatal(err)
		}
		c = connect(n, 2)
		c.SendAgain(number, []byte("hello"))
		c.ExpectAck(number)
		c.Bye()
		n.Advance(5*time.Minute + time.Second)
		if err := n.Server.Ack(from, number); err != server.ErrUnknown {
			t.Errorf("%v, want ErrUnknown", err)
		}
		c = connect(n, 3)
		c.SendAgain(number, []byte("hello"))
		c.ExpectNothing()
		if !slices.Equal(given, []uint64{1, 1}) {
			t.Errorf("the handler was given %v", given)
		}
		if st := n.Stats(); st.RepeatsAnswered != 1 || st.RepeatsDropped != 0 || st.TakenWindows != 1 {
			t.Errorf("%d answered, %d dropped, %d windows", st.RepeatsAnswered, st.RepeatsDropped, st.TakenWindows)
		}
	})
}

// Two connections of one process beside each other, as around a handover.
func TestAnOutcomeIsToldOverTheLaterConnection(t *testing.T) {
	var from server.Sender
	var sessions []*server.Session
	h := server.Handler{Message: func(s *server.Session, m server.Message) {
		from = s.Sender()
		sessions = append(sessions, s)
		if m.Number > 1 {
			_ = s.AckRange(1, m.Number, 3) // what an earlier connection has brought, too
		}
	}}
	withNode(t, server.Config{Handler: h}, func(t *testing.T, n *servertest.Node) {
		old := connect(n, 1)
		number := old.Send([]byte("one"))
		c := connect(n, 2)
		c.SendAgain(number, []byte("one"))
		c.ExpectNothing()
		c.SendAgain(2, []byte("two"))
		c.ExpectAck(1)
		c.ExpectAck(2)
		old.ExpectNothing()
		old.Send([]byte("too late"))
		if len(sessions) != 2 {
			t.Errorf("the handler was called %d times, want 2", len(sessions))
		}
		if err := n.Server.Nack(from, 1, codec.NackRefused, ""); err != nil { // the first counts
			t.Error(err)
		}
		c.ExpectNothing()
		old.ExpectNothing()
	})
}
