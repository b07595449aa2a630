//go:build !nonats

package cluster_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/client"
	"github.com/stormwheel/stormwheel/cluster"
	"github.com/stormwheel/stormwheel/cluster/natsbus"
	"github.com/stormwheel/stormwheel/server"
)

// Over NATS, as between machines: one clock is an hour ahead, or back, and the later login wins all the same, at whichever node
// it is.
func TestAClockThatIsWrongLetsNoOldSessionWin(t *testing.T) {
	t.Parallel()
	for _, skew := range []time.Duration{time.Hour, -time.Hour} {
		t.Run(fmt.Sprint(skew), func(t *testing.T) {
			t.Parallel()
			var all []*member
			var peers []string
			for i, name := range []string{"a", "b", "c"} {
				bus, err := natsbus.New(natsbus.Config{Node: name, Listen: "127.0.0.1:0", Peers: peers})
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = bus.Close() })
				peers = append(peers, bus.RouteAddr())
				all = append(all, joinBy(t, bus, name, func(c *cluster.Config, _ *server.Config) {
					if i == 1 {
						c.SetSkew(skew)
					}
				}))
			}
			see(t, all...)
			for n, path := range [][]int{{0, 1, 2}, {1, 0, 1}, {1, 2, 0}, {2, 1, 2}} {
				id := fmt.Sprint("alice", n)
				var before *person
				for k, at := range path {
					m := all[at]
					if k > 0 { // a stamp is above those that were heard, whatever the clock says
						told := fmt.Sprintf("login %s %s %s", all[path[k-1]].Node.Node(), id, id)
						until(t, "the earlier login is heard", func() bool { return m.has(told) })
					}
					now := connect(t, id, m.srv.Addr())
					until(t, "it is on "+m.Node.Node(), func() bool { return now.on(m.Node.Node()) })
					if before != nil {
						var code *client.CodeError
						if err := receive(t, before.ended); !errors.As(err, &code) || code.Code.String() != "replaced" {
							t.Errorf("%v: the earlier login ends with %v, want replaced", path, err)
						}
					}
					before = now
				}
				if !before.on(all[path[2]].Node.Node()) {
					t.Errorf("%v: the latest login has ended", path)
				}
			}
		})
	}
}
