package main

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stormwheel/stormwheel/client"
)

// Who is online comes in pages, each by :more.
func TestOnlineUsersComeInPages(t *testing.T) {
	srv := hubNode(t, "127.0.0.1:0", "")
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	defer all.Wait()
	defer cancel()
	const others = 2*pageSize + 10
	for i := range others {
		c, err := client.New(client.Config{Endpoints: []string{srv.Addr()}, ID: fmt.Sprintf("user%03d", i)})
		if err != nil {
			t.Fatal(err)
		}
		all.Go(func() { _ = c.Run(ctx) })
	}
	until(t, "all are online", func() bool { return srv.Stats().Sessions == others })
	alice := chatter(t, t.TempDir(), srv.Addr(), "alice")
	alice.say(":olu")
	alice.until(fmt.Sprintf(" user048 ... of %d; :more shows the next", others+1))
	alice.say(":more")
	alice.until(fmt.Sprintf(" user098 ... of %d; :more shows the next", others+1))
	alice.say(":more")
	if last := alice.until(" user109"); strings.Contains(last, ":more") {
		t.Errorf("more is offered behind the last: %q", last)
	}
	alice.say(":more")
	alice.until("! there is no more")
	alice.say(":pu user10")
	alice.until("  user100 user101")
	alice.say(":q!")
	alice.exit()
}
