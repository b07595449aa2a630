package server_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/server"
	"github.com/stormwheel/stormwheel/server/servertest"
)

// What a handler may do to its sessions, on a node in memory.

// withNode runs a test with a node on the test's clock.
func withNode(t *testing.T, cfg server.Config, test func(t *testing.T, n *servertest.Node)) {
	t.Helper()
	cfg.IDRate = -1 // tests are not careful with ids
	synctest.Test(t, func(t *testing.T) { test(t, servertest.New(t, cfg)) })
}

func TestPanicInAHandlerCostsItsSessionOnly(t *testing.T) {
	for _, in := range []string{"opened", "message", "settled", "closed"} {
		armed := false
		trip := func(where string) {
			if armed && where == in {
				panic("boom")
			}
		}
		handler := server.Handler{
			Opened: func(*server.Session) { trip("opened") },
			Message: func(s *server.Session, _ server.Message) {
				trip("message")
				_ = s.DeliverFunc(nil, func(server.Outcome) { trip("settled") })
			},
			Closed: func(*server.Session, server.Reason) { trip("closed") },
		}
		withNode(t, server.Config{Handler: handler}, func(t *testing.T, n *servertest.Node) {
			other, c := n.Join("alice"), n.Dial()
			armed = true
			c.Hello(codec.HelloMessage{ClientID: []byte("bob")})
			c.ExpectWelcome()
			why := server.ReasonInternal
			switch in {
			case "message", "settled":
				c.Write(codec.AppendAck(codec.AppendSend(nil, 1, nil), codec.AckOf(1)))
			case "closed":
				c.Bye()
				why = server.ReasonBye
			}
			armed = false
			switch in {
			case "message":
				c.ExpectNack(1, codec.NackInternal)
			case "settled":
				c.ExpectDeliver(nil)
			}
			if in != "closed" {
				c.ExpectGoAway(codec.CodeInternal)
			}
			c.ExpectEnd()
			if st := n.Stats(); st.Panics != 1 || st.Closes[why] != 1 || st.Sessions != 1 {
				t.Errorf("%s: %d panics, closes %v, %d sessions left", in, st.Panics, st.Closes, st.Sessions)
			}
			other.ExpectNothing()
			next := n.Join("alice") // what a panic left behind must not hit the next one
			next.Ping()
			next.ExpectPong()
		})
	}
}

// panicky is an authenticator that panics for one client.
type panicky struct{}

func (panicky) Authenticate(_ context.Context, req server.AuthRequest) (server.AuthGrant, error) {
	if len(req.Token) > 0 {
		panic("of another kind")
	}
	return server.AuthGrant{}, nil
}

// The first panic of a handler is logged whatever the uptime and whatever else has panicked,
// the following ones once a minute.
func TestHandlerPanicsAreLoggedOnceAMinute(t *testing.T) {
	var log strings.Builder // written on the loop, which rests when it is read
	cfg := server.Config{Auth: panicky{}, Logger: slog.New(slog.NewTextHandler(&log, nil)),
		Handler: server.Handler{Message: func(*server.Session, server.Message) { panic("boom") }}}
	withNode(t, cfg, func(t *testing.T, n *servertest.Node) {
		n.Dial().Hello(codec.HelloMessage{ClientID: []byte("eve"), Token: []byte("panic")})
		want := func(lines int) {
			t.Helper()
			n.Join("alice").Send(nil)
			if got := strings.Count(log.String(), "handler panicked"); got != lines {
				t.Errorf("%d lines after another panic, want %d", got, lines)
			}
		}
		want(1)
		n.Advance(time.Minute - 1)
		want(1)
		n.Advance(1)
		want(2)
		want(2)
	})
	if !strings.Contains(log.String(), "boom") || !strings.Contains(log.String(), "handler_test.go") {
		t.Errorf("the log does not say what and where:\n%s", log.String())
	}
}

// A Session that a handler has kept speaks for its own client or for nobody, whichever slot and
// callback is at hand.
func TestAKeptSessionNeverSpeaksForAnotherClient(t *testing.T) {
	var kept *server.Session
	var errs []error
	handler := server.Handler{Message: func(s *server.Session, m server.Message) {
		if kept == nil {
			kept = s
			return
		}
		delivered := kept.Deliver([]byte("for the first only"))
		optional := kept.DeliverOptional([]byte("for the first only"))
		awaited := kept.DeliverFunc(nil, func(server.Outcome) { t.Error("an outcome of what was not sent") })
		errs = append(errs, delivered, optional, awaited, kept.Ack(m.Number), kept.AckRange(1, 2, 3), kept.Nack(m.Number, codec.NackBusy, ""), kept.Close(server.Close{}))
		if kept.ID() != "" {
			t.Errorf("ClientID = %q outside its callback", kept.ID())
		}
	}}
	withNode(t, server.Config{Handler: handler}, func(t *testing.T, n *servertest.Node) {
		first := n.Join("alice")
		first.Send(nil)
		want := func(want error) {
			t.Helper()
			second := n.Join("alice")
			second.Send(nil)
			second.ExpectNothing()
			for _, err := range errs {
				if !errors.Is(err, want) {
					t.Errorf("%v, want %v", err, want)
				}
			}
			if len(errs) != 7 || kept.Ref() != first.Ref() {
				t.Errorf("%d answers, and the ID is %v now, and was %v", len(errs), kept.Ref(), first.Ref())
			}
			errs = nil
			second.Reset()
		}
		want(server.ErrOutside)
		first.ExpectNothing()
		first.Reset()
		for range 3 { // the slot's next sessions included
			want(server.ErrClosed)
		}
	})
}

// What a handler posts for its session comes before the end that it asks for at once.
func TestPostsOfAHandlerComeBeforeItsClose(t *testing.T) {
	var n *servertest.Node
	handler := server.Handler{Message: func(s *server.Session, m server.Message) {
		_ = n.Server.Deliver(s.Ref(), []byte("last words"))
		_ = n.Server.Ack(s.Sender(), m.Number)
		_ = s.Close(server.Close{})
	}}
	withNode(t, server.Config{Handler: handler}, func(t *testing.T, node *servertest.Node) {
		n = node
		c := n.Join("alice")
		id := c.Send([]byte("bye"))
		c.ExpectDeliver([]byte("last words"))
		c.ExpectAck(id)
		c.ExpectGoAway(codec.CodeKicked)
		if st := n.Stats(); st.Stale != 0 {
			t.Errorf("%d posts found no session", st.Stale)
		}
	})
}

// What is sent to a client that has said BYE waits for nobody: its end was told.
func TestDeliverAfterByeIsAnsweredByClosed(t *testing.T) {
	var end server.Reason
	handler := server.Handler{Closed: func(_ *server.Session, why server.Reason) { end = why }}
	withNode(t, server.Config{Handler: handler}, func(t *testing.T, n *servertest.Node) {
		c := n.Join("alice")
		c.Bye()
		if end != server.ReasonBye {
			t.Fatalf("Closed says %v, want bye", end)
		}
		if err := n.Server.Deliver(c.Ref(), []byte("too late")); !errors.Is(err, server.ErrClosed) {
			t.Errorf("Deliver: %v, want ErrClosed", err)
		}
	})
}

// A handler's close code is its session's alone, also if what was posted before ends that one
// first.
func TestACloseThatComesTooLateHitsNobodyElse(t *testing.T) {
	var n *servertest.Node
	big := make([]byte, 60<<10)
	handler := server.Handler{Message: func(own *server.Session, m server.Message) {
		switch string(m.Body) {
		case "closed by another":
			_ = n.Server.Close(own.Ref(), server.Close{Code: 3900})
			_ = own.Close(server.Close{Code: codec.CodeReplaced})
		case "too much":
			for range 100 {
				_ = n.Server.Deliver(own.Ref(), big)
			}
			_ = own.Close(server.Close{Code: codec.CodeReplaced})
		default:
			_ = own.Ack(m.Number)
		}
	}}
	withNode(t, server.Config{Handler: handler}, func(t *testing.T, node *servertest.Node) {
		n = node
		for _, end := range []string{"closed by another", "too much"} {
			alice, bob := n.Join("alice"), n.Join("bob")
			if end == "too much" {
				alice.StopReading()
			}
			alice.Send([]byte(end))
			for range 3 {
				bob.ExpectAck(bob.Send([]byte("hello")))
			}
			if end == "closed by another" {
				alice.ExpectGoAway(3900)
			}
		}
		if st := n.Stats(); st.Closes[server.ReasonKicked] != 1 || st.Closes[server.ReasonSlowConsumer] != 1 {
			t.Errorf("closes %v, want one kicked and one for what waited", st.Closes)
		}
	})
}

// What a code means is the server's to say, but for those that are applications'.
func TestCloseTakesTheCodesOfApplicationsOnly(t *testing.T) {
	want := func(code codec.Code) bool {
		return code == 0 || code == codec.CodeKicked || code == codec.CodeReplaced || code == codec.CodeSuperseded || code == codec.CodeInUse ||
			code >= 3150 && code <= 3199 || code >= 3450 && code <= 3499 || code >= 3900 && code <= 3999
	}
	var code codec.Code
	var closed error
	handler := server.Handler{Message: func(s *server.Session, _ server.Message) { closed = s.Close(server.Close{Code: code}) }}
	withNode(t, server.Config{Handler: handler}, func(t *testing.T, n *servertest.Node) {
		own, posted := n.Join("alice"), n.Join("bob")
		for code = range 4100 {
			own.Send(nil)
			err := n.Server.Close(posted.Ref(), server.Close{Code: code})
			if !want(code) {
				if !errors.Is(closed, server.ErrCode) || !errors.Is(err, server.ErrCode) {
					t.Fatalf("Close with %d: %v, %v, want ErrCode", code, closed, err)
				}
				n.Advance(time.Millisecond) // there is a bound on what a client may send
				continue
			}
			told := code
			if told == 0 {
				told = codec.CodeKicked
			}
			for _, c := range []*servertest.Client{own, posted} {
				c.ExpectGoAway(told)
			}
			own, posted = n.Join("alice"), n.Join("bob")
		}
	})
}
