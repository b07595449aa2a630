package server_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/stormwheel/stormwheel/server"
	"github.com/stormwheel/stormwheel/server/servertest"
)

// pageOf returns the ids of a page of sessions.
func pageOf(t *testing.T, n *servertest.Node, after server.Ref, limit int) (ids []string, last server.Ref, more bool) {
	t.Helper()
	last, more, err := n.Server.Sessions(t.Context(), after, limit, func(s *server.Session) { ids = append(ids, s.ID()) })
	if err != nil {
		t.Fatal(err)
	}
	return ids, last, more
}

// Who stays is on one page, though others come and go between the pages, the last of a page as well.
func TestSessionsInPages(t *testing.T) {
	withNode(t, server.Config{}, func(t *testing.T, n *servertest.Node) {
		if ids, last, more := pageOf(t, n, server.Ref{}, 10); ids != nil || !last.IsZero() || more {
			t.Errorf("of nobody: %v, %v, %v", ids, last, more)
		}
		var all []*servertest.Client
		for i := range 7 {
			all = append(all, n.Join(fmt.Sprint("c", i)))
		}
		first, last, more := pageOf(t, n, server.Ref{}, 3)
		if len(first) != 3 || !more || last != all[2].Ref() {
			t.Fatalf("the first page: %v, %v, %v", first, last, more)
		}
		all[2].Bye() // where the page ended
		all[4].Bye()
		second, last, more := pageOf(t, n, last, 2)
		if !slices.Equal(second, []string{"c3", "c5"}) || !more {
			t.Fatalf("the second page: %v, %v", second, more)
		}
		third, last, more := pageOf(t, n, last, 1)
		if !slices.Equal(third, []string{"c6"}) || more {
			t.Errorf("the last page: %v, %v", third, more)
		}
		if rest, same, more := pageOf(t, n, last, 5); rest != nil || same != last || more {
			t.Errorf("behind the last: %v, %v, %v", rest, same, more)
		}
	})
}

func TestSessionsOfAnotherRunAndVisitsThatEndEarly(t *testing.T) {
	withNode(t, server.Config{}, func(t *testing.T, n *servertest.Node) {
		alice := n.Join("alice")
		other, err := server.ParseRef(n.Server.Node() + "/00000000000000ff-0000000000000001")
		if err != nil {
			t.Fatal(err)
		}
		nothing := func(*server.Session) { t.Error("visited") }
		if _, _, err := n.Server.Sessions(t.Context(), other, 1, nothing); !errors.Is(err, server.ErrNode) {
			t.Errorf("behind a session of another run: %v", err)
		}
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		if _, _, err := n.Server.Sessions(gone, server.Ref{}, 1, nothing); !errors.Is(err, context.Canceled) {
			t.Errorf("with a context that is over: %v", err)
		}
		if _, _, err := n.Server.Sessions(t.Context(), server.Ref{}, 1, func(*server.Session) { panic("visit") }); !errors.Is(err, server.ErrVisit) {
			t.Errorf("a visit that panics: %v", err)
		}
		alice.ExpectNothing()
	})
}

func TestVisitTellsWhetherTheSessionIsThere(t *testing.T) {
	withNode(t, server.Config{}, func(t *testing.T, n *servertest.Node) {
		alice, bob := n.Join("alice"), n.Join("bob")
		id := ""
		if err := n.Server.Visit(t.Context(), alice.Ref(), func(s *server.Session) { id = s.ID() }); err != nil || id != "alice" {
			t.Errorf("visited %q, %v", id, err)
		}
		if err := n.Server.Visit(t.Context(), bob.Ref(), func(*server.Session) { panic("visit") }); !errors.Is(err, server.ErrVisit) {
			t.Errorf("a visit that panics: %v", err)
		}
		bob.ExpectNothing()
		ref := alice.Ref()
		alice.Bye()
		carol := n.Join("carol") // in the slot of alice
		if err := n.Server.Visit(t.Context(), ref, func(*server.Session) { t.Error("visited another") }); !errors.Is(err, server.ErrClosed) {
			t.Errorf("a session that has ended: %v", err)
		}
		carol.ExpectNothing()
	})
}

// A session that ends while its visit is on the way is not visited, and nor is who comes behind it on its loop.
func TestVisitOfASessionThatEndsMeanwhile(t *testing.T) {
	var hold chan struct{}
	handler := server.Handler{Message: func(*server.Session, server.Message) { <-hold }}
	withNode(t, server.Config{Handler: handler}, func(t *testing.T, n *servertest.Node) {
		hold = make(chan struct{}) // within the bubble
		alice, bob := n.Join("alice"), n.Join("bob")
		bob.Send(nil) // its loop does nothing else now
		if err := n.Server.Close(alice.Ref(), server.Close{}); err != nil {
			t.Fatal(err)
		}
		visited := make(chan error, 1)
		go func() {
			visited <- n.Server.Visit(t.Context(), alice.Ref(), func(s *server.Session) { t.Errorf("%s was visited", s.ID()) })
		}()
		synctest.Wait()
		close(hold)
		if err := <-visited; !errors.Is(err, server.ErrClosed) {
			t.Errorf("%v, want ErrClosed", err)
		}
	})
}
