// Push takes a message by HTTP and pushes it to the sessions of a client, and answers what became of
// it: POST /push?id=alice with the message as its body. 200: each session has answered, or has ended,
// as the JSON says; 400: it names no client; 404: the client is not there; 504: the time was over before all had answered.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/server"
)

// pushed is what became of a message at one session.
type pushed struct {
	Session string `json:"session"`
	Result  string `json:"result"` // acknowledged, refused, lost, or unsent
	Reason  string `json:"reason,omitempty"`
}

func push(srv *server.Server, limit time.Duration) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		id := r.URL.Query().Get("id")
		if id == "" {
			http.Error(w, "the parameter id is missing: POST /push?id=CLIENT", http.StatusBadRequest)
			return
		}
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, codec.MaxBody))
		if err != nil {
			http.Error(w, err.Error(), http.StatusRequestEntityTooLarge)
			return
		}
		sessions := srv.Lookup(id)
		outcomes := make(chan pushed, len(sessions))
		asked := 0
		for _, to := range sessions {
			err := srv.DeliverFunc(to, body, func(o server.Outcome) { // on an event loop: the channel has room
				outcomes <- pushed{to.String(), o.Result.String(), o.Reason}
			})
			if err == nil { // else it has ended, or its loop has too much to do
				asked++
			}
		}
		if asked == 0 {
			http.Error(w, "nobody is there", http.StatusNotFound)
			return
		}
		over, status, all := time.After(limit), http.StatusOK, []pushed{}
		for len(all) < asked && status == http.StatusOK {
			select {
			case one := <-outcomes:
				all = append(all, one)
			case <-over:
				status = http.StatusGatewayTimeout
			case <-r.Context().Done():
				return
			}
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(all)
	}
}

func main() {
	listen := flag.String("listen", "127.0.0.1:7000", "address for clients")
	web := flag.String("http", "127.0.0.1:8080", "address for POST /push?id=CLIENT; anybody who reaches it may push")
	limit := flag.Duration("limit", 10*time.Second, "for the clients to answer")
	flag.Parse()
	srv, err := server.New(server.Config{Listen: *listen, Logger: slog.Default(), Index: true})
	if err != nil {
		log.Fatal(err)
	}
	ln, err := net.Listen("tcp", *web)
	if err != nil {
		log.Fatal(err)
	}
	log.Printf("POST http://%s/push?id=CLIENT", ln.Addr())
	http.HandleFunc("POST /push", push(srv, *limit))
	go func() { log.Fatal(http.Serve(ln, nil)) }()
	log.Fatal(srv.Run(context.Background()))
}
