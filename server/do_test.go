package server_test

import (
	"errors"
	"testing"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/server"
	"github.com/stormwheel/stormwheel/server/servertest"
)

// Do is a callback, on a node whose handler sees no session as well.
func TestDoRunsOnTheSessionsLoop(t *testing.T) {
	var ends []server.Reason
	for _, handler := range []server.Handler{{}, {Closed: func(_ *server.Session, why server.Reason) { ends = append(ends, why) }}} {
		withNode(t, server.Config{Handler: handler}, func(t *testing.T, n *servertest.Node) {
			c, other := n.Join("alice"), n.Join("bob")
			do := func(to *servertest.Client, f func(*server.Session)) {
				t.Helper()
				if err := n.Server.Do(to.Ref(), f); err != nil {
					t.Fatal(err)
				}
			}
			var kept *server.Session
			do(c, func(s *server.Session) {
				kept = s
				if s.ID() != "alice" || s.Ref() != c.Ref() {
					t.Errorf("called with %q, %v", s.ID(), s.Ref())
				}
				_ = s.SetData(7)
				_ = s.Deliver([]byte("one"))
			})
			_ = n.Server.Deliver(c.Ref(), []byte("two"))
			do(c, func(s *server.Session) {
				if s.Data() != 7 {
					t.Errorf("data: %v", s.Data())
				}
				do(c, func(s *server.Session) { _ = s.Deliver([]byte("three")) }) // in the next turn
			})
			n.Settle()
			for _, want := range []string{"one", "two", "three"} {
				c.ExpectDeliver([]byte(want))
			}
			if err := kept.Deliver(nil); !errors.Is(err, server.ErrOutside) {
				t.Errorf("the session outside of Do: %v", err)
			}
			do(c, func(*server.Session) { panic("boom") })
			do(other, func(s *server.Session) { _ = s.Close(server.Close{Code: 3900}) })
			n.Settle()
			c.ExpectGoAway(codec.CodeInternal)
			other.ExpectGoAway(3900)
			if st := n.Stats(); st.Panics != 1 || st.Sessions != 0 || st.Closes[server.ReasonInternal] != 1 || st.Closes[server.ReasonKicked] != 1 {
				t.Errorf("%d panics, %d sessions, closes %v", st.Panics, st.Sessions, st.Closes)
			}
		})
	}
	if len(ends) != 2 {
		t.Errorf("closed: %v", ends)
	}
}

// A session that ends before Do's turn is not called, and a full mailbox says so.
func TestDoIsNotCalledForAnEndedSession(t *testing.T) {
	var n *servertest.Node
	handler := server.Handler{Message: func(s *server.Session, m server.Message) {
		if string(m.Body) == "end" {
			if err := n.Server.Do(s.Ref(), func(*server.Session) { t.Error("called for a session that has ended") }); err != nil {
				t.Error(err)
			}
			panic("boom")
		}
		var err error
		for range 1 << 15 {
			if err = n.Server.Do(s.Ref(), func(*server.Session) {}); err != nil {
				break
			}
		}
		if !errors.Is(err, server.ErrBusy) {
			t.Errorf("a full mailbox: %v", err)
		}
	}}
	withNode(t, server.Config{Handler: handler}, func(t *testing.T, node *servertest.Node) {
		n = node
		c := n.Join("alice")
		c.Send([]byte("end"))
		n.Settle()
		if st := n.Stats(); st.Stale != 1 {
			t.Errorf("%d stale", st.Stale)
		}
		n.Join("bob").Send(nil)
		n.Settle()
	})
}
