package servertest_test

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/server"
	"github.com/stormwheel/stormwheel/server/servertest"
)

// fatal is a test that keeps the sentence it fails with.
type fatal struct {
	testing.TB
	said string
}

func (f *fatal) Fatalf(format string, args ...any) {
	f.said = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

// failure is the sentence with which test fails.
func failure(t *testing.T, test func(t testing.TB)) string {
	f := &fatal{TB: t}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		test(f)
	}()
	<-ended
	return f.said
}

func TestMisuseFailsTheTestWithOneSentence(t *testing.T) {
	kick := server.Handler{Message: func(s *server.Session, _ server.Message) { _ = s.Close(server.Close{}) }}
	kicked := func(n *servertest.Node) *servertest.Client {
		c := n.Join("alice")
		c.Send(nil)
		return c
	}
	for _, c := range []struct {
		want string
		do   func(n *servertest.Node)
	}{
		{"servertest: alice sends after its end: the node sent it away with kicked", func(n *servertest.Node) { kicked(n).Send(nil) }},
		{"servertest: alice reads on after its end: it closed the connection", func(n *servertest.Node) {
			c := n.Join("alice")
			c.Close()
			c.ReadOn()
		}},
		{"servertest: DialWebSocket of a node whose Transports have no WebSocket", func(n *servertest.Node) { n.DialWebSocket() }},
		{"servertest: alice got GOAWAY kicked, want ACK 1", func(n *servertest.Node) { kicked(n).ExpectAck(1) }},
		{"servertest: alice got ACK 1 with the word 3, want NACK 1 busy", func(n *servertest.Node) {
			c := n.Join("alice")
			_ = n.Server.Do(c.Ref(), func(s *server.Session) { _ = s.AckRange(1, 1, 3) })
			c.ExpectNack(1, codec.NackBusy)
		}},
		{"servertest: alice got NACK 1 refused (no), want ACK 1", func(n *servertest.Node) {
			c := n.Join("alice")
			_ = n.Server.Do(c.Ref(), func(s *server.Session) { _ = s.Nack(1, codec.NackRefused, "no") })
			c.ExpectAck(1)
		}},
		{"servertest: alice got GOAWAY kicked, want nothing", func(n *servertest.Node) { kicked(n).ExpectNothing() }},
		{"servertest: alice got GOAWAY kicked, want the end", func(n *servertest.Node) { kicked(n).ExpectEnd() }},
		{"servertest: alice got nothing, want PONG 0: the node sent it away with kicked", func(n *servertest.Node) {
			c := kicked(n)
			c.ExpectGoAway(codec.CodeKicked)
			c.ExpectPong()
		}},
		{`servertest: alice got DELIVER "one" (0), want DELIVER "two"`, func(n *servertest.Node) {
			c := n.Join("alice")
			_ = n.Server.Deliver(c.Ref(), []byte("one"))
			c.ExpectDeliver([]byte("two"))
		}},
		{`servertest: alice got DELIVER "one" (1), which wants a reply, want DELIVER "one"`, func(n *servertest.Node) {
			c := n.Join("alice")
			_ = n.Server.RequestFunc(c.Ref(), []byte("one"), func(server.Outcome) {})
			c.ExpectDeliver([]byte("one"))
		}},
		{`servertest: alice got reply "one" to 7, want reply "two" to 7`, func(n *servertest.Node) {
			c := n.Join("alice")
			_ = n.Server.Do(c.Ref(), func(s *server.Session) { _ = s.Reply(7, []byte("one")) })
			c.ExpectReply(7, []byte("two"))
		}},
		{"servertest: alice got nothing yet, want GOAWAY shutdown", func(n *servertest.Node) { n.Join("alice").ExpectGoAway(codec.CodeShutdown) }},
		{"servertest: alice is still there, want the end", func(n *servertest.Node) { n.Join("alice").ExpectEnd() }},
		{"servertest: Advance by -1s: time does not go back", func(n *servertest.Node) { n.Advance(-time.Second) }},
		{"servertest: Dial of a node that has ended", func(n *servertest.Node) {
			_ = n.Server.Stop(t.Context())
			n.Join("alice")
		}},
	} {
		synctest.Test(t, func(t *testing.T) {
			if got := failure(t, func(t testing.TB) { c.do(servertest.New(t, server.Config{Handler: kick})) }); got != c.want {
				t.Errorf("said %q\nwant %q", got, c.want)
			}
		})
	}
	want := "servertest: New was called outside of synctest.Test, whose clock the node goes by"
	if got := failure(t, func(t testing.TB) { servertest.New(t, server.Config{}) }); got != want {
		t.Errorf("said %q\nwant %q", got, want)
	}
	synctest.Test(t, func(t *testing.T) {
		want := "servertest: server: Timeout (1s) must be longer than Heartbeat (30s), or every client dies"
		if got := failure(t, func(t testing.TB) { servertest.New(t, server.Config{Timeout: time.Second}) }); got != want {
			t.Errorf("said %q\nwant %q", got, want)
		}
	})
}

// A handler that fails its test ends the node, as it does on sockets, and the test with it.
func TestHandlerThatEndsItsGoroutineEndsTheNode(t *testing.T) {
	h := server.Handler{Message: func(*server.Session, server.Message) { runtime.Goexit() }}
	inBubble(t, server.Config{Handler: h}, func(t *testing.T, n *servertest.Node) {
		c := n.Join("alice")
		c.Send(nil)
		if err := n.Server.Wait(); !errors.Is(err, server.ErrGoexit) {
			t.Errorf("Wait: %v, want ErrGoexit", err)
		}
		c.ExpectEnd()
	})
}

// Two runs of a test are the same to the nanosecond and the last bit.
func TestRunsAreTheSame(t *testing.T) {
	run := func() (log []string) {
		start := time.Time{}
		say := func(what string, s *server.Session, more any) {
			log = append(log, fmt.Sprint(time.Since(start), " ", what, " ", s.Ref(), " ", s.ID(), " ", more))
		}
		h := server.Handler{
			Opened:  func(s *server.Session) { say("opened", s, s.Incarnation()) },
			Message: func(s *server.Session, m server.Message) { say("message", s, m.Number) },
			Closed:  func(s *server.Session, why server.Reason) { say("closed", s, why) },
		}
		inBubble(t, server.Config{Handler: h, Auth: auth{}, Timeout: 61 * time.Second}, func(t *testing.T, n *servertest.Node) {
			start = time.Now()
			var all []*servertest.Client
			for i := range 20 {
				c := n.Dial()
				c.Hello(codec.HelloMessage{ClientID: fmt.Append(nil, "c", i), Token: []byte("let me in")})
				n.Advance(time.Duration(i+1) * 37 * time.Millisecond)
				all = append(all, c)
			}
			n.Advance(time.Second)
			for i, c := range all {
				log = append(log, fmt.Sprintf("%x", c.ExpectWelcome().ReturnPass))
				c.Send(nil)
				if i%2 == 0 {
					c.Silence()
				}
			}
			n.Advance(2 * time.Minute)
		})
		return log
	}
	first := run()
	for range 4 {
		if again := run(); !slices.Equal(first, again) {
			t.Fatalf("two runs differ:\n%v\n%v", first, again)
		}
	}
	if len(first) != 80 {
		t.Errorf("%d events of 20 clients, want 80", len(first))
	}
}
