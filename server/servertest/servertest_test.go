package servertest_test

import (
	"context"
	"errors"
	"net/netip"
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/server"
	"github.com/stormwheel/stormwheel/server/servertest"
)

// inBubble runs a test with a node.
func inBubble(t *testing.T, cfg server.Config, test func(t *testing.T, n *servertest.Node)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { test(t, servertest.New(t, cfg)) })
}

func echo(s *server.Session, m server.Message) {
	_ = s.Deliver(m.Body)
	_ = s.Ack(m.Number)
}

func TestMessagesAndTheirAcknowledgements(t *testing.T) {
	var outcomes []server.Outcome
	h := server.Handler{Message: func(s *server.Session, m server.Message) {
		_ = s.DeliverFunc(m.Body, func(o server.Outcome) { outcomes = append(outcomes, o) })
		if string(m.Body) == "three" {
			_ = s.Nack(m.Number, codec.NackBusy, "later")
			return
		}
		_ = s.AckRange(m.Number, m.Number, uint8(7*(m.Number-1)))
	}}
	inBubble(t, server.Config{Handler: h}, func(t *testing.T, n *servertest.Node) {
		c := n.Join("alice")
		for _, body := range []string{"one", "two"} {
			id := c.Send([]byte(body))
			c.AckWith(c.ExpectDeliver([]byte(body)), uint8(id-1))
			if what := c.ExpectAck(id); what != uint8(7*(id-1)) {
				t.Errorf("%d is acknowledged with the word %d", id, what)
			}
		}
		id := c.Send([]byte("three"))
		c.NackWith(c.ExpectDeliver([]byte("three")), codec.NackRefused, "not that")
		if m := c.ExpectNack(id, codec.NackBusy); string(m.Reason) != "later" {
			t.Errorf("refused: %q", m.Reason)
		}
		c.ExpectNothing()
		want := []server.Outcome{
			{Session: c.Ref(), Number: 1, Result: server.Acknowledged},
			{Session: c.Ref(), Number: 2, Result: server.Acknowledged, What: 1},
			{Session: c.Ref(), Number: 3, Result: server.Refused, Code: codec.NackRefused, Reason: "not that"},
		}
		if !reflect.DeepEqual(outcomes, want) {
			t.Errorf("outcomes %+v, want %+v", outcomes, want)
		}
		c.Ping()
		if m := c.ExpectPong(); m.Terms != c.Terms() || m.Terms.Interval != 30*time.Second || m.Terms.Timeout != 75*time.Second {
			t.Errorf("terms %+v", m.Terms)
		}
	})
}

// A client whose heartbeats come stays for ever; one that falls silent goes within two ticks of
// its timeout, and not a nanosecond before it.
func TestEvictionIsNeverEarlyAndTwoTicksLateAtMost(t *testing.T) {
	for _, phase := range []time.Duration{0, time.Nanosecond, 100 * time.Millisecond, 249 * time.Millisecond} {
		var end server.Reason
		h := server.Handler{Closed: func(_ *server.Session, why server.Reason) { end = why }}
		inBubble(t, server.Config{Handler: h}, func(t *testing.T, n *servertest.Node) {
			alive := n.Join("alive")
			n.Advance(phase)
			c := n.Join("alice")
			c.Silence()
			n.Advance(75*time.Second - 1)
			c.ExpectNothing()
			n.Advance(1 + 2*250*time.Millisecond)
			c.ExpectGoAway(codec.CodeHeartbeatTimeout)
			c.ExpectEnd()
			if end != server.ReasonHeartbeatTimeout || n.Stats().Evictions() != 1 {
				t.Errorf("Closed was told %v, and %d evictions were counted", end, n.Stats().Evictions())
			}
			n.Advance(10 * time.Minute)
			alive.ExpectNothing()
		})
	}
}

func TestSlowConsumerIsSentAwayBehindWhatItWasSent(t *testing.T) {
	inBubble(t, server.Config{MaxQueued: 128 << 10}, func(t *testing.T, n *servertest.Node) {
		c := n.Join("alice")
		c.StopReading()
		body := make([]byte, 32<<10)
		sent := 0
		for ; n.Stats().Closes[server.ReasonSlowConsumer] == 0; sent++ {
			if err := n.Server.Deliver(c.Ref(), body); err != nil || sent > 10 {
				t.Fatalf("after %d messages: %v", sent, err)
			}
			n.Settle()
		}
		c.ReadOn()
		for range sent - 1 { // the last was too much
			c.ExpectDeliver(body)
		}
		c.ExpectGoAway(codec.CodeSlowConsumer)
		c.ExpectEnd()
	})
}

func TestWhoTakesNothingIsResetAfterTheWriteTimeout(t *testing.T) {
	inBubble(t, server.Config{WriteTimeout: 5 * time.Second}, func(t *testing.T, n *servertest.Node) {
		c := n.Join("alice")
		c.StopReading()
		if err := n.Server.Deliver(c.Ref(), []byte("hello")); err != nil {
			t.Fatal(err)
		}
		n.Advance(5*time.Second - 1)
		c.ExpectNothing()
		n.Advance(time.Second)
		c.ExpectEnd()
		if got := n.Stats().Closes[server.ReasonWriteStall]; got != 1 {
			t.Errorf("%d write stalls, want 1", got)
		}
	})
}

// What is posted for a session arrives while it lasts; after its end it counts as stale, and once
// the node has ended the answer is ErrClosed.
func TestDeliverBeforeAndAfterTheEnd(t *testing.T) {
	inBubble(t, server.Config{}, func(t *testing.T, n *servertest.Node) {
		c, other := n.Join("alice"), n.Join("bob")
		if err := errors.Join(n.Server.Deliver(c.Ref(), []byte("one")),
			n.Server.Close(c.Ref(), server.Close{Code: codec.CodeReplaced})); err != nil {
			t.Fatal(err)
		}
		c.ExpectDeliver([]byte("one"))
		c.ExpectGoAway(codec.CodeReplaced)
		c.ExpectEnd()
		if err := n.Server.Deliver(c.Ref(), []byte("too late")); !errors.Is(err, server.ErrClosed) {
			t.Errorf("Deliver to a session that has ended: %v, want ErrClosed", err)
		}
		if st := n.Stats(); st.Sessions != 1 {
			t.Errorf("%d sessions, want 1", st.Sessions)
		}
		if err := n.Server.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		other.ExpectGoAway(codec.CodeShutdown)
		other.ExpectEnd()
		if err := n.Server.Deliver(other.Ref(), nil); !errors.Is(err, server.ErrClosed) {
			t.Errorf("after Stop: %v, want ErrClosed", err)
		}
	})
}

func TestKickIsTheLastThatItsClientIsTold(t *testing.T) {
	var sent error
	h := server.Handler{
		Message: func(s *server.Session, m server.Message) { _, _ = s.Ack(m.Number), s.Close(server.Close{Code: 3900}) },
		Closed:  func(s *server.Session, _ server.Reason) { sent = s.Deliver(nil) },
	}
	inBubble(t, server.Config{Handler: h}, func(t *testing.T, n *servertest.Node) {
		c := n.Join("alice")
		c.ExpectNothing()
		c.ExpectAck(c.Send(nil))
		c.ExpectGoAway(3900)
		c.ExpectEnd()
		if !errors.Is(sent, server.ErrClosed) {
			t.Errorf("Deliver in Closed: %v, want ErrClosed", sent)
		}
	})
}

// A drain leaves everybody alone for its grace, tells all to move, and waits for their BYE.
func TestDrainMovesItsClients(t *testing.T) {
	inBubble(t, server.Config{Alternates: []string{"10.0.0.2:7000"}, Handler: server.Handler{Message: echo}}, func(t *testing.T, n *servertest.Node) {
		a, b := n.Join("alice"), n.Join("bob")
		ended := make(chan error, 1)
		go func() { ended <- n.Server.Drain(context.Background()) }()
		n.Advance(10*time.Second - 1)
		a.ExpectNothing()
		late := n.Dial()
		late.ExpectGoAway(codec.CodeDraining)
		late.ExpectEnd()
		n.Advance(time.Second)
		for _, c := range []*servertest.Client{a, b} {
			if m := c.ExpectGoAway(codec.CodeDraining); string(m.Alternates) != "10.0.0.2:7000" {
				t.Errorf("told to go to %q", m.Alternates)
			}
			c.ExpectNothing()
		}
		id := a.Send([]byte("still served"))
		a.ExpectDeliver([]byte("still served"))
		a.ExpectAck(id)
		a.Bye()
		a.ExpectEnd()
		if st := n.Stats(); st.Moved != 1 || st.Draining != 1 {
			t.Errorf("moved %d, draining %d, want 1 and 1", st.Moved, st.Draining)
		}
		n.Advance(16 * time.Second)
		b.ExpectGoAway(codec.CodeShutdown)
		n.Advance(time.Second)
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// auth takes a second for everybody and admits for a minute whose token is "let me in".
type auth struct{}

func (auth) Authenticate(ctx context.Context, req server.AuthRequest) (server.AuthGrant, error) {
	switch string(req.Token) {
	case "":
		<-ctx.Done()
		return server.AuthGrant{}, ctx.Err()
	case "let me in":
		time.Sleep(time.Second)
		return server.AuthGrant{Expires: time.Now().Add(time.Minute)}, nil
	default:
		time.Sleep(time.Second)
		return server.AuthGrant{}, server.ErrUnauthorized
	}
}

func TestAuthenticatorRefusesAdmitsAndTakesItsTime(t *testing.T) {
	inBubble(t, server.Config{Auth: auth{}}, func(t *testing.T, n *servertest.Node) {
		hello := func(id, token string) *servertest.Client {
			c := n.Dial()
			c.Hello(codec.HelloMessage{ClientID: []byte(id), Token: []byte(token)})
			return c
		}
		bad, good, hung := hello("eve", "open up"), hello("alice", "let me in"), hello("bob", "")
		n.Advance(time.Second - 1)
		bad.ExpectNothing()
		good.ExpectNothing()
		n.Advance(1)
		bad.ExpectGoAway(codec.CodeUnauthorized)
		bad.ExpectEnd()
		good.ExpectWelcome()
		n.Advance(4 * time.Second)
		hung.ExpectGoAway(codec.CodeBusy)
		n.Advance(56*time.Second - 1)
		good.ExpectNothing()
		n.Advance(1 + 500*time.Millisecond)
		good.ExpectGoAway(codec.CodeTokenExpired)
		good.ExpectEnd()
	})
}

// The handler's own timers and posts go by the clock of the test.
func TestHandlersTimersGoByTheClock(t *testing.T) {
	var n *servertest.Node
	h := server.Handler{Message: func(s *server.Session, m server.Message) {
		to, from, number, body := s.Ref(), s.Sender(), m.Number, append([]byte(nil), m.Body...)
		time.AfterFunc(time.Hour, func() { _, _ = n.Server.Deliver(to, body), n.Server.Ack(from, number) })
	}}
	synctest.Test(t, func(t *testing.T) {
		n = servertest.New(t, server.Config{Handler: h})
		c := n.Join("alice")
		id := c.Send([]byte("later"))
		n.Advance(time.Hour - 1)
		c.ExpectNothing()
		n.Advance(1)
		c.ExpectDeliver([]byte("later"))
		c.ExpectAck(id)
	})
}

// A burst is more than may wait, and says nothing of its client: he has had no time to read.
func TestABurstThatIsTooMuchEndsNobody(t *testing.T) {
	body := make([]byte, 60_000)
	var errs []error
	h := server.Handler{Opened: func(s *server.Session) {
		for range 6 {
			errs = append(errs, s.Deliver(body))
		}
	}}
	inBubble(t, server.Config{Handler: h}, func(t *testing.T, n *servertest.Node) {
		c := n.Join("alice")
		for i, err := range errs {
			if want := i < 4; (err == nil) != want || err != nil && !errors.Is(err, server.ErrQueue) {
				t.Errorf("message %d: %v", i, err)
			}
			if err == nil {
				c.ExpectDeliver(body)
			}
		}
		c.ExpectNothing()
		c.Ping()
		c.ExpectPong()
	})
}

// Messages whose outcome is awaited fill no queue until their client is closed for it.
func TestAwaitedMessagesThatHaveNoRoomAreUnsent(t *testing.T) {
	body := make([]byte, 60_000)
	inBubble(t, server.Config{}, func(t *testing.T, n *servertest.Node) {
		c := n.Join("alice")
		c.StopReading()
		sent, window := 0, 0
		for range 20 {
			if err := n.Server.DeliverFunc(c.Ref(), body, func(o server.Outcome) {
				switch {
				case o.Result == server.Acknowledged:
					sent++
				case o.Result == server.Unsent && errors.Is(o.Err, server.ErrWindow):
					window++
				default:
					t.Errorf("%+v", o)
				}
			}); err != nil {
				t.Fatal(err)
			}
		}
		n.Settle()
		c.ReadOn()
		for range 20 - window {
			c.Ack(c.ExpectDeliver(body))
		}
		n.Settle()
		if sent != 4 || window != 16 {
			t.Errorf("%d acknowledged, %d without room; want 4 and 16", sent, window)
		}
		n.Advance(time.Second) // in which the node notices that all is read
		c.ExpectNothing()
		c.Ping()
		c.ExpectPong()
	})
}

// A client that returns is the same process: it takes its own place, and no other's.
func TestWhoReturnsIsTheSame(t *testing.T) {
	var previous []server.Ref
	h := server.Handler{Opened: func(s *server.Session) {
		if ref, ok := s.Previous(); ok {
			previous = append(previous, ref)
		}
	}}
	inBubble(t, server.Config{Duplicates: server.Refuse, Handler: h}, func(t *testing.T, n *servertest.Node) {
		first := n.DialFrom(netip.MustParseAddr("198.51.100.7"))
		first.Hello(codec.HelloMessage{ClientID: []byte("alice")})
		first.ExpectWelcome()
		second := first.Return()
		second.ExpectWelcome()
		third := second.Return()
		third.ExpectWelcome()
		if len(previous) != 2 || previous[0] != first.Ref() || previous[1] != second.Ref() {
			t.Errorf("previous ones: %v", previous)
		}
		n.Advance(3 * time.Second)
		for _, old := range []*servertest.Client{first, second} {
			old.ExpectGoAway(codec.CodeSuperseded)
			old.ExpectEnd()
		}
		third.ExpectNothing()
	})
}
