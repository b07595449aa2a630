package server_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/server"
	"github.com/stormwheel/stormwheel/server/servertest"
)

// What Close says is what the client reads, whichever of the two was called.
func TestCloseTellsWhatItWasGiven(t *testing.T) {
	usual := []string{"usual:1"}
	for name, c := range map[string]struct {
		how  server.Close
		want codec.GoAwayMessage
	}{
		"nothing":       {server.Close{}, codec.GoAwayMessage{Code: codec.CodeKicked, Reason: []byte("kicked"), Alternates: []byte("usual:1")}},
		"a code":        {server.Close{Code: 3950}, codec.GoAwayMessage{Code: 3950, Reason: []byte("kicked"), Alternates: []byte("usual:1")}},
		"a reason":      {server.Close{Reason: "über quota"}, codec.GoAwayMessage{Code: codec.CodeKicked, Reason: []byte("über quota"), Alternates: []byte("usual:1")}},
		"times":         {server.Close{Delay: time.Minute, Window: time.Millisecond / 2}, codec.GoAwayMessage{Code: codec.CodeKicked, Delay: time.Minute, Window: time.Millisecond, Reason: []byte("kicked"), Alternates: []byte("usual:1")}},
		"alternates":    {server.Close{Code: 3450, Alternates: []string{"a:1", "[::1]:2"}}, codec.GoAwayMessage{Code: 3450, Reason: []byte("kicked"), Alternates: []byte("a:1,[::1]:2")}},
		"no alternates": {server.Close{Alternates: []string{}}, codec.GoAwayMessage{Code: codec.CodeKicked, Reason: []byte("kicked")}},
	} {
		t.Run(name, func(t *testing.T) {
			var err error
			handler := server.Handler{Message: func(s *server.Session, _ server.Message) { err = s.Close(c.how) }}
			withNode(t, server.Config{Alternates: usual, Handler: handler}, func(t *testing.T, n *servertest.Node) {
				own, posted := n.Join("alice"), n.Join("bob")
				own.Send(nil)
				if err := errors.Join(err, n.Server.Close(posted.Ref(), c.how)); err != nil {
					t.Fatal(err)
				}
				n.Settle()
				for _, client := range []*servertest.Client{own, posted} {
					m := client.ExpectGoAway(c.want.Code)
					if fmt.Sprintf("%+v", m) != fmt.Sprintf("%+v", c.want) {
						t.Errorf("told %+v, want %+v", m, c.want)
					}
					client.ExpectEnd()
				}
			})
		})
	}
}

// What no frame can hold is an error at the call, and nothing happens.
func TestCloseRefusesWhatNoFrameCanHold(t *testing.T) {
	for name, how := range map[string]server.Close{
		"a reason of 257 bytes":      {Reason: strings.Repeat("x", 257)},
		"a reason with a newline":    {Reason: "a\nb"},
		"a reason that is not UTF-8": {Reason: "\xff"},
		"a negative delay":           {Delay: -1},
		"a negative window":          {Window: -time.Hour},
		"a delay of 50 days":         {Delay: 50 * 24 * time.Hour},
		"a window of 50 days":        {Window: 50 * 24 * time.Hour},
		"an alternate without port":  {Alternates: []string{"good:1", "bad"}},
		"an empty alternate":         {Alternates: []string{""}},
		"two alternates in one":      {Alternates: []string{"a,b:1"}},
		"an alternate with a space":  {Alternates: []string{"a b:1"}},
		"an alternate with a bell":   {Alternates: []string{"a\a:1"}},
		"2 KiB of alternates":        {Alternates: strings.Split(strings.Repeat("host:7000,", 200)+"host:1", ",")},
	} {
		var inside error
		handler := server.Handler{Message: func(s *server.Session, _ server.Message) { inside = s.Close(how) }}
		withNode(t, server.Config{Handler: handler}, func(t *testing.T, n *servertest.Node) {
			c := n.Join("alice")
			c.Send(nil)
			if err := n.Server.Close(c.Ref(), how); !errors.Is(err, codec.ErrField) || !errors.Is(inside, codec.ErrField) {
				t.Errorf("%s: %v, %v, want ErrField", name, err, inside)
			}
			move := n.Server.Move(c.Ref(), how.Alternates)
			if how.Alternates != nil && !errors.Is(move, codec.ErrField) || how.Alternates == nil && !errors.Is(move, server.ErrNowhere) {
				t.Errorf("Move to %s: %v", name, move)
			}
			c.ExpectNothing()
		})
	}
}

// Whoever closes a session that has ended learns it, with whatever words.
func TestCloseOfAnEndedSession(t *testing.T) {
	var kept *server.Session
	handler := server.Handler{Opened: func(s *server.Session) { kept = s }}
	withNode(t, server.Config{Handler: handler}, func(t *testing.T, n *servertest.Node) {
		c := n.Join("alice")
		if err := errors.Join(kept.Close(server.Close{}), kept.Move([]string{"a:1"})); !errors.Is(err, server.ErrOutside) {
			t.Errorf("outside: %v", err)
		}
		c.Bye()
		how := server.Close{Reason: "late"}
		for what, err := range map[string]error{
			"Server.Close": n.Server.Close(c.Ref(), how), "Session.Close": kept.Close(how),
			"Server.Move": n.Server.Move(c.Ref(), []string{"a:1"}), "Session.Move": kept.Move([]string{"a:1"}),
			"Do": n.Server.Do(c.Ref(), func(*server.Session) { t.Error("called") }),
		} {
			if !errors.Is(err, server.ErrClosed) {
				t.Errorf("%s: %v, want ErrClosed", what, err)
			}
		}
	})
}
