package server_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/server"
	"github.com/stormwheel/stormwheel/server/servertest"
)

// Members by a handler and by others; what one goroutine asks happens in that order.
func TestWhatIsPublishedReachesTheMembers(t *testing.T) {
	handler := server.Handler{Opened: func(s *server.Session) {
		if strings.HasPrefix(s.ID(), "fan") {
			if err := s.Join("fans"); err != nil {
				t.Error(err)
			}
		}
	}, Message: func(s *server.Session, m server.Message) {
		if err := errors.Join(s.Join("talkers"), s.Ack(m.Number)); err != nil {
			t.Error(err)
		}
		if got := fmt.Sprint(s.Groups()); got != "[fans talkers]" {
			t.Errorf("groups %s", got)
		}
		_ = s.Leave("talkers")
	}}
	withNode(t, server.Config{Handler: handler}, func(t *testing.T, n *servertest.Node) {
		if err := n.Server.Publish("fans", []byte("nobody is here")); err != nil {
			t.Error(err)
		}
		fan, other, late := n.Join("fan-1"), n.Join("other"), n.Join("late")
		fan.ExpectAck(fan.Send(nil))
		if err := errors.Join(n.Server.Publish("fans", []byte("one")),
			n.Server.Join(late.Ref(), "fans"), n.Server.Publish("fans", []byte("two")),
			n.Server.Deliver(late.Ref(), []byte("for you")),
			n.Server.Leave(late.Ref(), "fans"), n.Server.Publish("fans", []byte("three"))); err != nil {
			t.Fatal(err)
		}
		for _, body := range []string{"one", "two", "three"} {
			fan.ExpectDeliver([]byte(body))
		}
		late.ExpectDeliver([]byte("two"))
		late.ExpectDeliver([]byte("for you"))
		late.ExpectNothing()
		other.ExpectNothing()
		if st := n.Stats(); st.Memberships != 1 {
			t.Errorf("%d memberships, want 1", st.Memberships)
		}
		fan.Bye()
		if st := n.Stats(); st.Memberships != 0 {
			t.Errorf("%d memberships of nobody", st.Memberships)
		}
		long := strings.Repeat("x", server.MaxGroupName+1)
		for _, group := range []string{"", long} {
			_, err := n.Server.Members(t.Context(), group, server.Ref{}, 1)
			for what, err := range map[string]error{"Join": n.Server.Join(late.Ref(), group), "Leave": n.Server.Leave(late.Ref(), group),
				"Publish": n.Server.Publish(group, nil), "Members": err} {
				if !errors.Is(err, server.ErrGroup) {
					t.Errorf("%s of a group of %d bytes: %v, want ErrGroup", what, len(group), err)
				}
			}
		}
		if err := n.Server.Join(fan.Ref(), "fans"); !errors.Is(err, server.ErrClosed) {
			t.Errorf("Join of a session that has ended: %v, want ErrClosed", err)
		}
		if err := n.Server.Publish("fans", make([]byte, codec.MaxPayload)); !errors.Is(err, server.ErrTooBig) {
			t.Errorf("%v, want ErrTooBig", err)
		}
	})
}

func TestBroadcastAndEachReachEverybody(t *testing.T) {
	withNode(t, server.Config{}, func(t *testing.T, n *servertest.Node) {
		var all []*servertest.Client
		for i := range 20 {
			all = append(all, n.Join(fmt.Sprint("c", i)))
		}
		some := []server.Ref{all[0].Ref(), {}, all[7].Ref()}
		others := server.Except(some...)
		clear(some) // the filter has a copy
		even := func(s *server.Session) bool { return (s.ID()[len(s.ID())-1]-'0')%2 == 0 }
		if err := errors.Join(n.Server.Broadcast([]byte("all"), nil), n.Server.Broadcast([]byte("even"), even), n.Server.Broadcast([]byte("others"), others)); err != nil {
			t.Fatal(err)
		}
		for i, c := range all {
			c.ExpectDeliver([]byte("all"))
			if i%2 == 0 {
				c.ExpectDeliver([]byte("even"))
			}
			if i != 0 && i != 7 {
				c.ExpectDeliver([]byte("others"))
			}
			c.ExpectNothing()
		}
		seen := make(chan server.Ref, 100)
		if err := n.Server.Each(t.Context(), func(s *server.Session) { seen <- s.Ref() }); err != nil {
			t.Fatal(err)
		}
		refs := make(map[server.Ref]bool)
		for close(seen); ; {
			ref, ok := <-seen
			if !ok {
				break
			}
			refs[ref] = true
		}
		if len(refs) != 20 {
			t.Errorf("Each visited %d sessions, want 20", len(refs))
		}
	})
}

// The frame limit of a grant is one for what its client sends: a publication that is larger reaches it as it does others.
func TestAPublicationLargerThanTheFrameLimitOfSome(t *testing.T) {
	handler := server.Handler{Opened: func(s *server.Session) { _ = s.Join("g") }}
	withNode(t, server.Config{Handler: handler, Auth: smallFrames("small")}, func(t *testing.T, n *servertest.Node) {
		all := []*servertest.Client{n.Join("small"), n.Join("other")}
		if small, usual := all[0].Limits(), all[1].Limits(); small.MaxSend != 8<<10 || small.MaxDeliver != usual.MaxDeliver {
			t.Fatalf("limits are %+v and %+v", small, usual)
		}
		body := bytes.Repeat([]byte("x"), 32<<10)
		for _, err := range []error{n.Server.Publish("g", body), n.Server.Publish("g", []byte("on"))} {
			if err != nil {
				t.Fatal(err)
			}
		}
		for _, c := range all {
			c.ExpectDeliver(body)
			c.ExpectDeliver([]byte("on"))
		}
		if err := n.Server.Broadcast(body, nil); err != nil {
			t.Fatal(err)
		}
		for _, c := range all {
			c.ExpectDeliver(body)
			c.ExpectNothing()
		}
	})
}

// smallFrames lets everybody in, and one client send small frames alone.
type smallFrames string

func (id smallFrames) Authenticate(_ context.Context, req server.AuthRequest) (g server.AuthGrant, err error) {
	if req.ClientID == string(id) {
		g.Limits = &server.Limits{MaxFrame: 8 << 10}
	}
	return g, nil
}

// A filter or a visit that panics is its caller's fault, and costs no session.
func TestAPanicOfAFilterOrAVisitCostsNoSession(t *testing.T) {
	withNode(t, server.Config{}, func(t *testing.T, n *servertest.Node) {
		for i := range 5 {
			n.Join(fmt.Sprint("c", i))
		}
		if err := n.Server.Broadcast(nil, func(*server.Session) bool { panic("filter") }); err != nil {
			t.Error(err)
		}
		if err := n.Server.Each(t.Context(), func(*server.Session) { panic("visit") }); !errors.Is(err, server.ErrVisit) || !strings.Contains(err.Error(), "visit") {
			t.Errorf("Each: %v, want ErrVisit", err)
		}
		if st := n.Stats(); st.Panics != 2 || st.Sessions != 5 {
			t.Errorf("%d panics, %d sessions; want 2 and 5", st.Panics, st.Sessions)
		}
		kick := func(s *server.Session) { _ = s.Close(server.Close{}) }
		if err := n.Server.Each(t.Context(), kick); err != nil {
			t.Error(err)
		}
		if st := n.Stats(); st.Sessions != 0 {
			t.Errorf("%d sessions after all were closed", st.Sessions)
		}
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if err := n.Server.Each(ended, func(*server.Session) {}); err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("Each: %v", err)
		}
	})
}

// What was accepted for many goes out before the goodbye of a stop.
func TestAStopInTheMiddleOfABroadcast(t *testing.T) {
	handler := server.Handler{Opened: func(s *server.Session) { _ = s.Join("g") }}
	withNode(t, server.Config{Handler: handler}, func(t *testing.T, n *servertest.Node) {
		var all []*servertest.Client
		for i := range 200 {
			all = append(all, n.Join(fmt.Sprint("c", i)))
		}
		if err := errors.Join(n.Server.Publish("g", []byte("group")), n.Server.Broadcast([]byte("all"), nil)); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := n.Server.Stop(ctx); err != nil {
			t.Fatal(err)
		}
		for _, c := range all {
			c.ExpectDeliver([]byte("group"))
			c.ExpectDeliver([]byte("all"))
			c.ExpectGoAway(codec.CodeShutdown)
		}
		if err := n.Server.Publish("g", nil); !errors.Is(err, server.ErrClosed) {
			t.Errorf("Publish: %v, want ErrClosed", err)
		}
		if err := n.Server.Each(t.Context(), func(*server.Session) {}); !errors.Is(err, server.ErrClosed) {
			t.Errorf("Each: %v, want ErrClosed", err)
		}
	})
}

// What was broadcast takes room until it has come to all, and not only until a loop has begun with it.
func TestBroadcastsThatAreUnderWayAreBounded(t *testing.T) {
	hold, began := make(chan struct{}), make(chan struct{}, 1)
	withNode(t, server.Config{}, func(t *testing.T, n *servertest.Node) {
		c := n.Join("alice")
		_ = n.Server.Do(c.Ref(), func(*server.Session) { <-hold })
		filter := func(*server.Session) bool {
			select {
			case began <- struct{}{}:
			default:
			}
			<-hold
			return false
		}
		body := make([]byte, 60<<10)
		for range 200 {
			if err := n.Server.Broadcast(body, filter); err != nil {
				t.Fatal(err)
			}
		}
		hold <- struct{}{}
		<-began // the loop has taken them all
		var err error
		for range 200 {
			err = errors.Join(err, n.Server.Broadcast(body, filter))
		}
		if !errors.Is(err, server.ErrBusy) {
			t.Errorf("24 MiB of broadcasts are under way: %v, want ErrBusy", err)
		}
		close(hold)
		n.Advance(time.Second)
		if err := n.Server.Broadcast(body, nil); err != nil {
			t.Errorf("when they are over: %v", err)
		}
		n.Settle()
		c.ExpectDeliver(body)
	})
}

// A page may be larger than what a loop tells at once.
func TestALargePageOfMembers(t *testing.T) {
	const clients = 1100
	handler := server.Handler{Opened: func(s *server.Session) { _ = s.Join("g") }}
	withNode(t, server.Config{AdmitRate: 1e6, Handler: handler}, func(t *testing.T, n *servertest.Node) {
		for i := range clients {
			n.Join(fmt.Sprint(i))
		}
		for _, limit := range []int{1 << 20, clients, clients - 1, 1024, 1, 0} {
			page, err := n.Server.Members(t.Context(), "g", server.Ref{}, limit)
			seen := make(map[server.Ref]bool)
			for _, ref := range page {
				seen[ref] = true
			}
			if want := min(limit, clients); err != nil || len(page) != want || len(seen) != want {
				t.Errorf("a page of %d has %d members, %d different: %v", limit, len(page), len(seen), err)
			}
		}
	})
}
