package server_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/server"
	"github.com/stormwheel/stormwheel/server/servertest"
)

// What one goroutine publishes, broadcasts and then says to a member comes in that order, and the end
// that it asks for comes last.
func TestACloseComesBehindWhatWasPublished(t *testing.T) {
	handler := server.Handler{Opened: func(s *server.Session) { _ = s.Join("g") }}
	withNode(t, server.Config{AdmitRate: 1e6, Handler: handler}, func(t *testing.T, n *servertest.Node) {
		var all []*servertest.Client
		for i := range 500 {
			all = append(all, n.Join(fmt.Sprint("c", i)))
		}
		last := all[len(all)-1] // which the walks come to last
		if err := errors.Join(n.Server.Publish("g", []byte("group")), n.Server.Deliver(last.Ref(), []byte("own")),
			n.Server.Broadcast([]byte("all"), nil), n.Server.Publish("g", []byte("more")), n.Server.Leave(last.Ref(), "g"),
			n.Server.Publish("g", []byte("for others")), n.Server.Close(last.Ref(), server.Close{})); err != nil {
			t.Fatal(err)
		}
		n.Settle()
		for _, body := range []string{"group", "own", "more", "all"} { // of the last two each goes its own way
			last.ExpectDeliver([]byte(body))
		}
		last.ExpectGoAway(codec.CodeKicked)
		all[0].ExpectDeliver([]byte("group"))
	})
}
