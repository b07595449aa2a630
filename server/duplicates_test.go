package server_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/server"
	"github.com/stormwheel/stormwheel/server/servertest"
)

// as is a connection of a process.
func as(n *servertest.Node, incarnation uint64, attempt uint32) *servertest.Client {
	c := n.Dial()
	c.Hello(codec.HelloMessage{ClientID: []byte("alice"), Incarnation: incarnation, Attempt: attempt})
	return c
}

// told is what a handler was told of sessions, in order.
type told struct {
	opened, previous []server.Ref // zero: of none
	closed           []server.Ref
	why              []server.Reason
}

func (o *told) handler() server.Handler {
	return server.Handler{
		Opened: func(s *server.Session) {
			previous, ok := s.Previous()
			if ok == previous.IsZero() {
				previous = server.Ref{}
			}
			o.opened, o.previous = append(o.opened, s.Ref()), append(o.previous, previous)
		},
		Message: func(s *server.Session, m server.Message) { _ = s.Ack(m.Number) },
		Closed: func(s *server.Session, why server.Reason) {
			o.closed, o.why = append(o.closed, s.Ref()), append(o.why, why)
		},
	}
}

func TestReplaceKeepsTheNewestLogin(t *testing.T) {
	var o told
	withNode(t, server.Config{Duplicates: server.Replace, Handler: o.handler()}, func(t *testing.T, n *servertest.Node) {
		first := n.Join("alice")
		second := n.Join("alice")
		first.ExpectGoAway(codec.CodeReplaced)
		first.ExpectEnd()
		second.ExpectAck(second.Send(nil))
		if !slices.Equal(o.previous, []server.Ref{{}, first.Ref()}) || !slices.Equal(o.closed, []server.Ref{first.Ref()}) || o.why[0] != server.ReasonReplaced {
			t.Errorf("told of %+v", o)
		}
		if got := n.Server.Lookup("alice"); !slices.Equal(got, []server.Ref{second.Ref()}) {
			t.Errorf("Lookup: %v", got)
		}
		if st := n.Stats(); st.Closes[server.ReasonReplaced] != 1 || st.Sessions != 1 {
			t.Errorf("closes %v, %d sessions", st.Closes, st.Sessions)
		}
		second.Bye()
		if got := n.Server.Lookup("alice"); got != nil {
			t.Errorf("Lookup of nobody: %v", got)
		}
	})
}

func TestThreeOfOneIDMayStay(t *testing.T) {
	withNode(t, server.Config{Duplicates: server.Replace, MaxSameID: 3}, func(t *testing.T, n *servertest.Node) {
		var all []*servertest.Client
		for range 5 {
			all = append(all, n.Join("alice"))
		}
		n.Join("bob").ExpectNothing()
		for i, c := range all {
			if i < 2 {
				c.ExpectGoAway(codec.CodeReplaced)
			} else {
				c.ExpectNothing()
			}
		}
		if got := n.Server.Lookup("alice"); !slices.Equal(got, []server.Ref{all[2].Ref(), all[3].Ref(), all[4].Ref()}) {
			t.Errorf("Lookup: %v", got)
		}
	})
}

// A client that crashed is told when it may come, and comes in then.
func TestRefuseTellsWhenToCome(t *testing.T) {
	var o told
	withNode(t, server.Config{Duplicates: server.Refuse, Handler: o.handler()}, func(t *testing.T, n *servertest.Node) {
		first := n.Join("alice")
		n.Advance(20 * time.Second)
		first.Silence()
		second := as(n, 1000, 1)
		m := second.ExpectGoAway(codec.CodeInUse)
		if m.Delay < 55*time.Second || m.Delay > 56*time.Second || string(m.Reason) != "in_use" {
			t.Errorf("told %+v, want what is left of 75 s", m)
		}
		first.ExpectNothing()
		n.Advance(m.Delay)
		first.ExpectGoAway(codec.CodeHeartbeatTimeout)
		as(n, 1000, 2).ExpectWelcome()
		if st := n.Stats(); st.Closes[server.ReasonInUse] != 1 || len(o.opened) != 2 {
			t.Errorf("closes %v, %d opened", st.Closes, len(o.opened))
		}
	})
}

// A handover to the same node loses nothing under any policy: what is on its way on the old connection
// comes, its own SENDs come over the new one, and its BYE ends it.
func TestAHandoverOnOneNodeUnderAnyPolicy(t *testing.T) {
	for _, cfg := range []server.Config{{}, {Index: true}, {Duplicates: server.Replace}, {Duplicates: server.Refuse}} {
		var o told
		cfg.Handler = o.handler()
		withNode(t, cfg, func(t *testing.T, n *servertest.Node) {
			old := n.Join("alice")
			if err := n.Server.Move(old.Ref(), []string{"here:1"}); err != nil {
				t.Fatal(err)
			}
			n.Settle()
			old.ExpectGoAway(codec.CodeDraining)
			outcome := server.Outcome{}
			if err := n.Server.DeliverFunc(old.Ref(), []byte("on its way"), func(o server.Outcome) { outcome = o }); err != nil {
				t.Fatal(err)
			}
			fresh := old.Return()
			fresh.ExpectWelcome()
			id := old.ExpectDeliver([]byte("on its way"))
			for what, err := range map[string]error{"Deliver": n.Server.Deliver(old.Ref(), nil), "Do": n.Server.Do(old.Ref(), func(*server.Session) {}), "Close": n.Server.Close(old.Ref(), server.Close{})} {
				if !errors.Is(err, server.ErrClosed) {
					t.Errorf("%v: %s to the old session: %v, want ErrClosed", cfg.Duplicates, what, err)
				}
			}
			old.Write(codec.AppendSend(nil, 5, []byte("before it knew")))
			old.Ack(id)
			old.Ping()
			old.ExpectPong() // and no ACK of the SEND
			fresh.ExpectAck(fresh.Send(nil))
			n.Advance(time.Second)
			old.Bye()
			old.ExpectEnd()
			if outcome.Result != server.Acknowledged || !slices.Equal(o.previous, []server.Ref{{}, old.Ref()}) || o.why[0] != server.ReasonBye {
				t.Errorf("%v: outcome %v, told %+v", cfg.Duplicates, outcome.Result, o)
			}
			n.Advance(10 * time.Minute)
			fresh.ExpectNothing()
			if st := n.Stats(); st.Moved != 1 || st.Sessions != 1 {
				t.Errorf("%v: %d moved, %d sessions", cfg.Duplicates, st.Moved, st.Sessions)
			}
		})
	}
}

// Who comes back from a loss finds its own dead session out of the way after 2 s; that is no login.
func TestWhoComesBackTakesItsOwnPlace(t *testing.T) {
	for _, policy := range []server.Duplicates{server.Replace, server.Refuse} {
		var o told
		withNode(t, server.Config{Duplicates: policy, Handler: o.handler()}, func(t *testing.T, n *servertest.Node) {
			old := as(n, 77, 1)
			old.ExpectWelcome()
			old.Silence()
			n.Advance(10 * time.Second)
			fresh := as(n, 77, 3)
			fresh.ExpectWelcome()
			if got := n.Server.Lookup("alice"); !slices.Equal(got, []server.Ref{fresh.Ref()}) {
				t.Errorf("%v: Lookup: %v", policy, got)
			}
			zombie := as(n, 77, 2)
			zombie.ExpectGoAway(codec.CodeSuperseded)
			old.ExpectNothing()
			n.Advance(2*time.Second + 250*time.Millisecond)
			old.ExpectGoAway(codec.CodeSuperseded)
			if !slices.Equal(o.opened, []server.Ref{old.Ref(), fresh.Ref()}) || !slices.Equal(o.why, []server.Reason{server.ReasonSuperseded}) {
				t.Errorf("%v: told %+v", policy, o)
			}
			fresh.ExpectNothing()
		})
	}
}

// Whom the authenticator refuses displaces nobody; and whom it lets in has its grant when it came in
// after it waited for another's end.
func TestAnAuthenticatorUnderPolicies(t *testing.T) {
	for _, policy := range []server.Duplicates{server.Replace, server.Refuse} {
		withNode(t, server.Config{Duplicates: policy, Auth: auth{}}, func(t *testing.T, n *servertest.Node) {
			hello := func(token string, incarnation uint64) *servertest.Client {
				c := n.Dial()
				c.Hello(codec.HelloMessage{ClientID: []byte("alice"), Token: []byte(token), Incarnation: incarnation, Attempt: 1})
				n.Advance(time.Second)
				return c
			}
			first := hello("good", 1)
			first.ExpectWelcome()
			hello("bad", 2).ExpectGoAway(codec.CodeUnauthorized)
			first.ExpectNothing()
			second := hello("good", 3)
			if policy == server.Refuse {
				second.ExpectGoAway(codec.CodeInUse)
				first.ExpectNothing()
			} else {
				second.ExpectWelcome()
				first.ExpectGoAway(codec.CodeReplaced)
			}
		})
	}
}

// auth lets in who says "good".
type auth struct{}

func (auth) Authenticate(_ context.Context, req server.AuthRequest) (server.AuthGrant, error) {
	if string(req.Token) != "good" {
		return server.AuthGrant{}, server.ErrUnauthorized
	}
	return server.AuthGrant{User: "alice"}, nil
}

func TestLookupWithoutAnIndexFindsNobody(t *testing.T) {
	withNode(t, server.Config{}, func(t *testing.T, n *servertest.Node) {
		n.Join("alice")
		n.Join("alice").ExpectNothing()
		if got := n.Server.Lookup("alice"); got != nil {
			t.Errorf("Lookup: %v", got)
		}
	})
	withNode(t, server.Config{Index: true}, func(t *testing.T, n *servertest.Node) {
		a, b := n.Join("alice"), n.Join("alice")
		if got := n.Server.Lookup("alice"); !slices.Equal(got, []server.Ref{a.Ref(), b.Ref()}) {
			t.Errorf("Lookup: %v", got)
		}
	})
}

// A node whose handler sees no session still knows who is who.
func TestAHandoverWithoutAHandlerIsNoLogin(t *testing.T) {
	withNode(t, server.Config{Duplicates: server.Replace}, func(t *testing.T, n *servertest.Node) {
		old := n.Join("alice")
		old.Return().ExpectWelcome()
		old.ExpectNothing()
		n.Advance(3 * time.Second)
		old.ExpectGoAway(codec.CodeSuperseded)
	})
}

// A pass of a session that has ended names nobody's previous one.
func TestPreviousIsASessionThatWentOn(t *testing.T) {
	var o told
	withNode(t, server.Config{Handler: o.handler()}, func(t *testing.T, n *servertest.Node) {
		old := n.Join("alice")
		old.Close()
		old.Return().ExpectWelcome()
		if len(o.previous) != 2 || !o.previous[1].IsZero() {
			t.Errorf("told of %v", o.previous)
		}
	})
}
