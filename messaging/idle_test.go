package messaging

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stormwheel/stormwheel/messaging/envelope"
	"github.com/stormwheel/stormwheel/server"
	"github.com/stormwheel/stormwheel/server/servertest"
)

func TestUserOfWhomThereIsNothingToKnowTakesNoMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub, err := New(Config{Store: NewMemory(Bounds{})})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = hub.Close(context.Background()) })
		n := servertest.New(t, server.Config{Handler: hub.Handler()})
		if err := hub.Start(n.Server); err != nil {
			t.Fatal(err)
		}
		users := func() (all int) {
			for i := range hub.shards {
				hub.shards[i].mu.Lock()
				all += len(hub.shards[i].users)
				hub.shards[i].mu.Unlock()
			}
			return all
		}
		body, err := envelope.Append(nil, &envelope.Envelope{Kind: envelope.ToUser, User: []byte("away"), Content: []byte("a")})
		if err != nil {
			t.Fatal(err)
		}
		alice := n.Join("alice")
		alice.Send(body)
		n.Settle()
		if got := users(); got != 1 {
			t.Errorf("%d users, one is here", got)
		}
		watch, err := envelope.Append(nil, &envelope.Envelope{Kind: envelope.Watch, User: []byte("alice")})
		if err != nil {
			t.Fatal(err)
		}
		alice.Send(watch)
		n.Settle()
		alice.Bye()
		n.Advance(10 * time.Minute)
		if got := users(); got != 0 {
			t.Errorf("%d users, nobody is here", got)
		}
		for i := range hub.shards {
			if sh := &hub.shards[i]; sh.ages != (ages{}) || len(sh.puts)+len(sh.drops)+len(sh.loads)+len(sh.retries) > 0 {
				t.Errorf("shard %d keeps something", i)
			}
		}
		for i := range hub.watchers {
			if len(hub.watchers[i].count) > 0 {
				t.Errorf("watchers %v, nobody is here", hub.watchers[i].count)
			}
		}
		if hub.clock.wheel.Len() != 0 || hub.storing.Load() != 0 {
			t.Errorf("%d alarms, %d bytes", hub.clock.wheel.Len(), hub.storing.Load())
		}
	})
}
