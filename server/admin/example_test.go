package admin_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"sync/atomic"

	"github.com/stormwheel/stormwheel/server"
	"github.com/stormwheel/stormwheel/server/admin"
)

// In a mux that there is already, below a prefix. The node is unready before it starts, and again
// from before its drain on.
func ExampleHandler() {
	srv, err := server.New(server.Config{Listen: "127.0.0.1:0"})
	if err != nil {
		log.Fatal(err)
	}
	var ready atomic.Bool
	mux := http.NewServeMux()
	mux.Handle("/edge/", http.StripPrefix("/edge", admin.Handler(srv, admin.Config{Ready: ready.Load})))
	web := httptest.NewServer(mux) // where only operators reach it
	defer web.Close()
	probe := func() {
		resp, err := http.Get(web.URL + "/edge/readyz")
		if err != nil {
			log.Fatal(err)
		}
		defer resp.Body.Close()
		body, _ := io.ReadAll(resp.Body)
		fmt.Printf("%d %s", resp.StatusCode, body)
	}

	probe()
	if err := srv.Start(); err != nil {
		log.Fatal(err)
	}
	ready.Store(true)
	probe()
	ready.Store(false)
	if err := srv.Drain(context.Background()); err != nil {
		log.Fatal(err)
	}
	probe()
	// Output:
	// 503 not taking clients
	// 200 ok
	// 503 not taking clients
}

// On a listener of its own, with bounds on what its connections may take.
func ExampleNewServer() {
	srv, err := server.New(server.Config{Listen: "127.0.0.1:7000"})
	if err != nil {
		log.Fatal(err)
	}
	operators := admin.NewServer(srv, admin.Config{})
	operators.Addr = "127.0.0.1:7001"
	defer operators.Close()
	go func() { log.Print(operators.ListenAndServe()) }()
	if err := srv.Start(); err != nil {
		log.Fatal(err)
	}
	log.Print(srv.Wait())
}
