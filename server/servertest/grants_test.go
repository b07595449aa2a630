package servertest_test

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/server"
	"github.com/stormwheel/stormwheel/server/servertest"
)

// authenticate is an Authenticator.
type authenticate func(ctx context.Context, r server.AuthRequest) (server.AuthGrant, error)

func (f authenticate) Authenticate(ctx context.Context, r server.AuthRequest) (server.AuthGrant, error) {
	return f(ctx, r)
}

func secretOf(letter string) []byte { return []byte(strings.Repeat(letter, server.MinSecret)) }

func minted(t *testing.T, secret []byte, id string, left time.Duration) []byte {
	t.Helper()
	token, err := server.MintToken(secret, id, time.Now().Add(left))
	if err != nil {
		t.Fatal(err)
	}
	return []byte(token)
}

// Eight hours of tokens of ten minutes are one session, and its secret is changed in the middle.
func TestASessionOutlivesItsTokensAndTheirSecret(t *testing.T) {
	old, fresh := secretOf("o"), secretOf("f")
	auth, err := server.NewHMACAuth(old, fresh)
	if err != nil {
		t.Fatal(err)
	}
	ends := 0
	h := server.Handler{Closed: func(*server.Session, server.Reason) { ends++ }}
	inBubble(t, server.Config{Auth: auth, Handler: h}, func(t *testing.T, n *servertest.Node) {
		c := n.Dial()
		c.Hello(codec.HelloMessage{ClientID: []byte("alice"), Token: minted(t, old, "alice", 10*time.Minute)})
		if w := c.ExpectWelcome(); w.Expires != 10*time.Minute {
			t.Errorf("WELCOME tells an end in %v", w.Expires)
		}
		for i := range 8 * 60 / 8 {
			n.Advance(8 * time.Minute)
			secret := old
			if i > 33 {
				secret = fresh
			}
			c.Renew(minted(t, secret, "alice", 10*time.Minute))
			c.ExpectPong()
			c.ExpectExpires(10 * time.Minute)
		}
		c.ExpectNothing()
		if st := n.Server.Stats(); st.Renewed != 60 || st.Hellos != 1 || ends != 0 {
			t.Errorf("%d renewed, %d sessions, %d ended", st.Renewed, st.Hellos, ends)
		}
		if left := time.Until(c.Expires()); left != 10*time.Minute {
			t.Errorf("it ends in %v", left)
		}
		n.Advance(10*time.Minute + 500*time.Millisecond)
		c.ExpectGoAway(codec.CodeTokenExpired)
	})
}

// Whatever is wrong with a token in PING, the session lives until its grant ends, and no longer.
func TestATokenThatIsNotGoodCostsNothingBeforeTheEnd(t *testing.T) {
	secret := secretOf("s")
	auth, err := server.NewHMACAuth(secret)
	if err != nil {
		t.Fatal(err)
	}
	fails := func(err error) authenticate {
		return func(ctx context.Context, r server.AuthRequest) (server.AuthGrant, error) {
			if r.Renewal {
				return server.AuthGrant{}, err
			}
			return auth.Authenticate(ctx, r)
		}
	}
	does := func(f func(ctx context.Context)) authenticate {
		return func(ctx context.Context, r server.AuthRequest) (server.AuthGrant, error) {
			if r.Renewal {
				f(ctx)
			}
			return auth.Authenticate(ctx, r)
		}
	}
	for name, tt := range map[string]struct {
		auth  server.Authenticator
		token func(t *testing.T) []byte
	}{
		"garbage":        {auth, func(*testing.T) []byte { return []byte("\x00\xffgarbage") }},
		"4 KiB":          {auth, func(*testing.T) []byte { return make([]byte, codec.MaxToken) }},
		"another id":     {auth, func(t *testing.T) []byte { return minted(t, secret, "bob", time.Hour) }},
		"another secret": {auth, func(t *testing.T) []byte { return minted(t, secretOf("x"), "alice", time.Hour) }},
		"expired":        {auth, func(t *testing.T) []byte { return minted(t, secret, "alice", -time.Second) }},
		"an error":       {fails(errors.New("no database")), nil},
		"in use":         {fails(&server.InUseError{Delay: time.Hour}), nil},
		"a panic":        {does(func(context.Context) { panic("boom") }), nil},
		"Goexit":         {does(func(context.Context) { runtime.Goexit() }), nil},
		"slow":           {does(func(ctx context.Context) { <-ctx.Done(); <-time.After(30 * time.Second) }), nil},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, server.Config{Auth: tt.auth, AuthWorkers: 2}, func(t *testing.T, n *servertest.Node) {
				c := n.Dial()
				c.Hello(codec.HelloMessage{ClientID: []byte("alice"), Token: minted(t, secret, "alice", 10*time.Minute)})
				c.ExpectWelcome()
				n.Advance(8 * time.Minute)
				token := minted(t, secret, "alice", 20*time.Minute)
				if tt.token != nil {
					token = tt.token(t)
				}
				c.Renew(token)
				c.ExpectPong()
				n.Advance(2*time.Minute - time.Second)
				c.ExpectNothing()
				if st := n.Server.Stats(); st.Renewed != 0 || st.NotRenewed != 1 && name != "slow" || st.Panics > 1 {
					t.Errorf("%d renewed, %d not, %d panics", st.Renewed, st.NotRenewed, st.Panics)
				}
				n.Advance(2 * time.Second)
				c.ExpectGoAway(codec.CodeTokenExpired)
			})
		})
	}
}

// The authenticator learns that it is a renewal, and whose; the session keeps its user and its data.
func TestARenewalTellsWhoAsksAndKeepsWhatTheSessionHas(t *testing.T) {
	var asked []server.AuthRequest
	auth := authenticate(func(_ context.Context, r server.AuthRequest) (server.AuthGrant, error) {
		asked = append(asked, r)
		return server.AuthGrant{Expires: time.Now().Add(time.Hour), User: string(r.Token), Data: len(asked),
			Limits: &server.Limits{FrameRate: 10 * len(asked)}}, nil
	})
	var user string
	var data any
	h := server.Handler{Message: func(s *server.Session, _ server.Message) { user, data = s.User(), s.Data() }}
	inBubble(t, server.Config{Auth: auth, Handler: h}, func(t *testing.T, n *servertest.Node) {
		c := n.Dial()
		c.Hello(codec.HelloMessage{ClientID: []byte("alice/phone"), Token: []byte("first"), Incarnation: 7, Attempt: 3})
		if w := c.ExpectWelcome(); w.Limits.Frames != 10 || w.Limits.FrameBurst != 40 {
			t.Errorf("WELCOME tells %+v, want the limits of the grant", w.Limits)
		}
		c.Renew([]byte("second"))
		c.ExpectPong()
		c.ExpectExpires(time.Hour)
		if len(asked) != 2 || asked[0].Renewal || !asked[1].Renewal || asked[1].ClientID != "alice/phone" || string(asked[1].Token) != "second" ||
			asked[1].Incarnation != 7 || asked[1].Attempt != 3 || asked[1].Addr != asked[0].Addr {
			t.Errorf("asked %+v", asked)
		}
		c.Send(nil)
		if user != "first" || data != 1 {
			t.Errorf("user %q and data %v, want those of the first grant", user, data)
		}
		n.Advance(4 * time.Second)
		for range 38 { // PING, SEND and 38 are within four seconds' worth of 10
			c.Send(nil)
		}
		c.ExpectNothing()
		for range 3 {
			c.Send(nil)
			if c.Ended() {
				break
			}
		}
		c.ExpectGoAway(codec.CodeRateLimit)
	})
}

func TestTheApplicationExtendsAGrant(t *testing.T) {
	auth := authenticate(func(context.Context, server.AuthRequest) (server.AuthGrant, error) {
		return server.AuthGrant{Expires: time.Now().Add(time.Hour)}, nil
	})
	h := server.Handler{Message: func(s *server.Session, m server.Message) {
		_ = s.Deliver([]byte("before"))
		if err := s.Extend(time.Now().Add(2 * time.Hour)); err != nil {
			t.Error(err)
		}
		_ = s.Ack(m.Number)
	}}
	inBubble(t, server.Config{Auth: auth, Handler: h}, func(t *testing.T, n *servertest.Node) {
		c := n.Join("alice")
		ref := c.Ref()
		id := c.Send(nil)
		c.ExpectDeliver([]byte("before"))
		c.ExpectExpires(2 * time.Hour)
		c.ExpectAck(id)
		for _, left := range []time.Duration{3 * time.Hour, time.Hour, codec.NeverExpires, time.Minute} {
			expires := time.Time{}
			if left != codec.NeverExpires {
				expires = time.Now().Add(left)
			}
			if err := n.Server.Extend(ref, expires); err != nil {
				t.Fatal(err)
			}
			c.ExpectExpires(left)
			if !c.Expires().Equal(expires) {
				t.Errorf("it ends at %v, want %v", c.Expires(), expires)
			}
		}
		n.Advance(time.Minute + 500*time.Millisecond)
		c.ExpectGoAway(codec.CodeTokenExpired)
		if err := n.Server.Extend(ref, time.Time{}); !errors.Is(err, server.ErrClosed) {
			t.Errorf("a session that has ended is extended: %v", err)
		}
		d := n.Join("bob")
		_ = n.Server.Extend(d.Ref(), time.Now().Add(-time.Hour))
		d.ExpectExpires(time.Millisecond)
		n.Advance(500 * time.Millisecond)
		d.ExpectGoAway(codec.CodeTokenExpired)
	})
}

// A handler that can take no more pauses its client, and takes the rest when it is resumed from
// elsewhere.
func TestAPausedClientIsAliveAndItsMessagesWait(t *testing.T) {
	var got []string
	var ref server.Ref
	h := server.Handler{
		Opened: func(s *server.Session) { ref = s.Ref() },
		Message: func(s *server.Session, m server.Message) {
			got = append(got, string(m.Body))
			_ = s.Ack(m.Number)
			if string(m.Body) == "pause" {
				if err := s.PauseRead(); err != nil {
					t.Error(err)
				}
			}
		},
	}
	inBubble(t, server.Config{Handler: h}, func(t *testing.T, n *servertest.Node) {
		c := n.Join("alice")
		b := codec.AppendSend(nil, 1, []byte("pause"))
		for i := range uint64(98) {
			b = codec.AppendSend(b, i+2, []byte("x"))
		}
		c.Write(codec.AppendSend(b, 100, []byte("pause")))
		c.ExpectAck(1)
		n.Advance(10 * time.Minute)
		c.ExpectNothing()
		c.Ping()
		c.ExpectPong()
		if st := n.Server.Stats(); st.Paused != 1 || st.Kept == 0 || len(got) != 1 {
			t.Errorf("%d paused, %d bytes kept, handled %q", st.Paused, st.Kept, got)
		}
		if err := n.Server.ResumeRead(ref); err != nil {
			t.Fatal(err)
		}
		for i := range uint64(99) {
			c.ExpectAck(i + 2)
		}
		c.Write(codec.AppendSend(nil, 101, []byte("y")))
		c.ExpectNothing()
		_ = n.Server.ResumeRead(ref)
		c.ExpectAck(101)
		if want := slices.Concat([]string{"pause"}, slices.Repeat([]string{"x"}, 98), []string{"pause", "y"}); !slices.Equal(got, want) {
			t.Errorf("handled %q", got)
		}
		if err := n.Server.PauseRead(ref); err != nil {
			t.Fatal(err)
		}
		c.Write(codec.AppendSend(nil, 102, []byte("z")))
		c.Silence()
		n.Advance(76 * time.Second)
		c.ExpectGoAway(codec.CodeHeartbeatTimeout)
		for _, err := range []error{n.Server.PauseRead(ref), n.Server.ResumeRead(ref)} {
			if !errors.Is(err, server.ErrClosed) {
				t.Errorf("of a session that has ended: %v", err)
			}
		}
		if st := n.Server.Stats(); st.Paused != 0 || st.Kept != 0 || len(got) != 101 {
			t.Errorf("%d paused, %d bytes kept, %d handled", st.Paused, st.Kept, len(got))
		}
	})
}

func TestAPausedClientThatFloodsIsTheOnlyOneToGo(t *testing.T) {
	h := server.Handler{Opened: func(s *server.Session) { _ = s.PauseRead() }, Message: func(*server.Session, server.Message) {
		t.Error("a paused session is handled")
	}}
	inBubble(t, server.Config{Handler: h}, func(t *testing.T, n *servertest.Node) {
		quiet, loud := n.Join("quiet"), n.Join("loud")
		for range 256 {
			quiet.Send(nil)
			loud.Send(nil)
		}
		loud.ExpectNothing()
		loud.Send(nil)
		loud.ExpectGoAway(codec.CodeRateLimit)
		quiet.ExpectNothing()
	})
}

// ResumeRead in the session's own callback: in the one of an outcome, say.
func TestAnOutcomeResumes(t *testing.T) {
	var got int
	h := server.Handler{Message: func(s *server.Session, m server.Message) {
		if got++; got == 1 {
			_ = s.PauseRead()
			_ = s.DeliverFunc([]byte("full"), func(server.Outcome) {
				if err := s.ResumeRead(); err != nil {
					t.Error(err)
				}
			})
		}
		_ = s.Ack(m.Number)
	}}
	inBubble(t, server.Config{Handler: h}, func(t *testing.T, n *servertest.Node) {
		c := n.Join("alice")
		for range 3 {
			c.Send(nil)
		}
		number := c.ExpectDeliver([]byte("full"))
		c.ExpectAck(1)
		c.ExpectNothing()
		c.Ack(number)
		c.ExpectAck(2)
		c.ExpectAck(3)
	})
}

// What was granted is there for Do and Each, too, of a node that has no handler.
func TestASessionWithoutAHandlerKnowsItsGrant(t *testing.T) {
	auth := authenticate(func(context.Context, server.AuthRequest) (server.AuthGrant, error) {
		return server.AuthGrant{User: "al", Data: 7}, nil
	})
	inBubble(t, server.Config{Auth: auth}, func(t *testing.T, n *servertest.Node) {
		c, seen := n.Join("alice"), 0
		look := func(s *server.Session) {
			if seen++; s.User() != "al" || s.Data() != 7 || !s.Since().Equal(time.Now()) {
				t.Errorf("user %q, data %v, since %v", s.User(), s.Data(), s.Since())
			}
		}
		if err := errors.Join(n.Server.Do(c.Ref(), look), n.Server.Each(t.Context(), look)); err != nil || seen != 2 {
			t.Errorf("seen %d times: %v", seen, err)
		}
	})
	inBubble(t, server.Config{}, func(t *testing.T, n *servertest.Node) {
		n.Join("alice")
		if err := n.Server.Each(t.Context(), func(s *server.Session) {
			if !s.Since().IsZero() {
				t.Errorf("nothing is kept, and it is there since %v", s.Since())
			}
		}); err != nil {
			t.Error(err)
		}
	})
}
