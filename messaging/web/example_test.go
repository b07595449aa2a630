package web_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/stormwheel/stormwheel/messaging"
	"github.com/stormwheel/stormwheel/messaging/web"
	"github.com/stormwheel/stormwheel/server"
)

// A node with the calls of its back end on a listener of their own, and a push to somebody who is away.
func Example() {
	store := messaging.NewMemory(messaging.Bounds{})
	hub, err := messaging.New(messaging.Config{Store: store})
	if err != nil {
		log.Fatal(err)
	}
	node, err := server.New(server.Config{Listen: "127.0.0.1:0", Handler: hub.Handler()})
	if err != nil {
		log.Fatal(err)
	}
	if err := errors.Join(hub.Start(node), node.Start()); err != nil {
		log.Fatal(err)
	}
	calls := httptest.NewServer(web.New(hub, node, web.Config{})) // on loopback

	r, _ := http.NewRequest("POST", calls.URL+"/v1/users/bob/messages", strings.NewReader(`{"from":"shop","content":"on its way"}`))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Idempotency-Key", "order-17")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		log.Fatal(err)
	}
	body, _ := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	fmt.Println(resp.StatusCode, strings.TrimSpace(string(body)))

	calls.Close()
	ctx := context.Background()
	if err := errors.Join(node.Stop(ctx), hub.Close(ctx), store.Close()); err != nil {
		log.Fatal(err)
	}
	// Output: 200 {"result":"held","message":{"sender":"node","incarnation":"64a6dd898757420c","number":8333880365310519}}
}
