package server_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/server"
	"github.com/stormwheel/stormwheel/server/servertest"
)

// A handover of one: asked within a callback and from elsewhere, served until it says BYE.
func TestMoveHandsOneClientOver(t *testing.T) {
	var errs error
	var draining []bool
	handler := server.Handler{Message: func(s *server.Session, m server.Message) {
		if string(m.Body) == "move me" {
			draining = append(draining, s.Draining())
			errs = errors.Join(errs, s.Deliver([]byte("before")), s.Move([]string{"b:1", "c:1"}))
		}
		draining = append(draining, s.Draining())
		_ = s.Ack(m.Number)
	}}
	withNode(t, server.Config{Alternates: []string{"usual:1"}, Handler: handler}, func(t *testing.T, n *servertest.Node) {
		c, other := n.Join("alice"), n.Join("bob")
		id := c.Send([]byte("move me"))
		c.ExpectDeliver([]byte("before"))
		if m := c.ExpectGoAway(codec.CodeDraining); string(m.Alternates) != "b:1,c:1" || string(m.Reason) != "draining" || m.Delay != 0 || m.Window != 0 {
			t.Errorf("told %+v", m)
		}
		c.ExpectAck(id)
		if err := errors.Join(errs, n.Server.Move(c.Ref(), nil)); err != nil {
			t.Fatal(err)
		}
		n.Settle()
		if m := c.ExpectGoAway(codec.CodeDraining); string(m.Alternates) != "usual:1" {
			t.Errorf("told %+v", m)
		}
		n.Advance(10 * time.Minute) // its heartbeats go on
		c.ExpectAck(c.Send(nil))
		other.ExpectAck(other.Send(nil))
		if want := []bool{false, true, true, false}; len(draining) != 4 || draining[0] != want[0] || draining[1] != want[1] || draining[2] != want[2] || draining[3] != want[3] {
			t.Errorf("Draining: %v, want %v", draining, want)
		}
		c.Bye()
		c.ExpectEnd()
		other.ExpectNothing()
		if st := n.Stats(); st.Moved != 1 || st.Draining != 0 {
			t.Errorf("%d moved, %d draining", st.Moved, st.Draining)
		}
	})
}

func TestMoveWantsSomewhere(t *testing.T) {
	withNode(t, server.Config{}, func(t *testing.T, n *servertest.Node) {
		c := n.Join("alice")
		for _, to := range [][]string{nil, {}} {
			if err := n.Server.Move(c.Ref(), to); !errors.Is(err, server.ErrNowhere) {
				t.Errorf("Move to %v: %v", to, err)
			}
		}
		c.ExpectNothing()
	})
	withNode(t, server.Config{Alternates: []string{"b:1"}}, func(t *testing.T, n *servertest.Node) {
		c := n.Join("alice")
		if err := n.Server.Move(c.Ref(), []string{}); !errors.Is(err, server.ErrNowhere) {
			t.Errorf("Move to nowhere: %v", err)
		}
	})
}

// A drain asks those again who were asked to move, and ends when they have gone.
func TestADrainAfterAMove(t *testing.T) {
	withNode(t, server.Config{Alternates: []string{"b:1"}, DrainGrace: -1}, func(t *testing.T, n *servertest.Node) {
		c := n.Join("alice")
		if err := n.Server.Move(c.Ref(), []string{"c:1"}); err != nil {
			t.Fatal(err)
		}
		n.Settle()
		c.ExpectGoAway(codec.CodeDraining)
		drained := make(chan error, 1)
		go func() { drained <- n.Server.Drain(context.Background()) }()
		n.Advance(time.Second)
		if m := c.ExpectGoAway(codec.CodeDraining); string(m.Alternates) != "b:1" {
			t.Errorf("the drain tells %+v", m)
		}
		if err := n.Server.Move(c.Ref(), []string{"d:1"}); err != nil {
			t.Errorf("Move during a drain: %v", err)
		}
		n.Settle()
		c.ExpectGoAway(codec.CodeDraining)
		c.Bye()
		n.Advance(2 * time.Second)
		if err := <-drained; err != nil {
			t.Error(err)
		}
		if st := n.Server.Stats(); st.Moved != 1 {
			t.Errorf("%d moved", st.Moved)
		}
		if err := n.Server.Move(c.Ref(), nil); !errors.Is(err, server.ErrClosed) {
			t.Errorf("Move on a node that has stopped: %v", err)
		}
	})
}
