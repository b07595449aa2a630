package server_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/server"
	"github.com/stormwheel/stormwheel/server/servertest"
)

// A client that was told and stays is told again, that the node stops, and when to return.
func TestDrainDoesNotWaitForEverForWhoStays(t *testing.T) {
	var log strings.Builder // written while the test waits
	cfg := server.Config{Alternates: []string{"b:1"}, DrainGrace: -1, FailoverRate: 0.5, Logger: slog.New(slog.NewTextHandler(&log, nil))}
	withNode(t, cfg, func(t *testing.T, n *servertest.Node) {
		c := n.Join("stays")
		ended := make(chan error, 1)
		go func() { ended <- n.Server.Drain(context.Background()) }()
		n.Advance(time.Second)
		c.ExpectGoAway(codec.CodeDraining)
		n.Advance(13 * time.Second)
		c.ExpectNothing()
		n.Advance(3 * time.Second)
		if m := c.ExpectGoAway(codec.CodeShutdown); m.Window == 0 {
			t.Errorf("told %+v, want a window", m)
		}
		c.Close()
		if err := <-ended; err != nil || n.Server.Stats().Moved != 0 {
			t.Errorf("Drain = %v, %d moved", err, n.Server.Stats().Moved)
		}
	})
	if !strings.Contains(log.String(), "msg=draining left=1 told=1 moved=0") {
		t.Errorf("the log does not say how it goes:\n%s", log.String())
	}
}
