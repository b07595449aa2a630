// Push takes a message by HTTP and pushes it to the sessions of a client: POST /push?id=alice with the message as its body.
// The answer has a line for each: what became of it there. 404: nobody is there; 503: not all have answered in time.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/server"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:7000", "address for clients")
	web := flag.String("http", "127.0.0.1:8080", "address for POST /push?id=CLIENT; anybody who reaches it may push")
	limit := flag.Duration("limit", 10*time.Second, "for the clients to answer")
	flag.Parse()
	srv, err := server.New(server.Config{Listen: *listen, Logger: slog.Default(), Index: true})
	if err != nil {
		log.Fatal(err)
	}
	http.Handle("POST /push", http.TimeoutHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, codec.MaxBody))
		if err != nil {
			http.Error(w, err.Error(), http.StatusRequestEntityTooLarge)
			return
		}
		sessions := srv.Lookup(r.URL.Query().Get("id"))
		if len(sessions) == 0 {
			http.Error(w, "nobody is there", http.StatusNotFound)
		}
		lines := make(chan string, len(sessions))
		for _, to := range sessions {
			go func() {
				if o, err := srv.DeliverAcked(r.Context(), to, body); err != nil {
					lines <- err.Error()
				} else {
					lines <- o.Result.String() + " " + o.Reason
				}
			}()
		}
		for range sessions {
			fmt.Fprintln(w, <-lines)
		}
	}), *limit, "not all have answered\n"))
	ln, err := net.Listen("tcp", *web)
	if err != nil {
		log.Fatal(err)
	}
	log.Printf("POST http://%s/push?id=CLIENT", ln.Addr())
	go func() { log.Fatal(http.Serve(ln, nil)) }()
	log.Fatal(srv.Run(context.Background()))
}
