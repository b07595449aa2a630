// Page serves a page whose client talks to nodes: the browser's side of an edge, to look at.
//
//	stormwheel serve --transports ws --ws-origins http://127.0.0.1:8000
//	go run ./examples/page
//
// stormwheel.js is clients/js in one file. It is here so that the page needs no npm; make test-js
// fails when it is not what clients/js makes.
package main

import (
	"embed"
	"encoding/json"
	"flag"
	"log"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"
)

//go:embed index.html stormwheel.js
var files embed.FS

func main() {
	listen := flag.String("listen", "127.0.0.1:8000", "address of the page")
	nodes := flag.String("nodes", "ws://127.0.0.1:7000/", "where the page's client finds nodes, with commas")
	flag.Parse()
	http.Handle("GET /", http.FileServerFS(files))
	http.HandleFunc("GET /nodes.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(strings.Split(*nodes, ","))
	})
	l, err := net.Listen("tcp", *listen)
	if err == nil {
		slog.Info("listening", "addr", l.Addr().String())
		err = (&http.Server{ReadHeaderTimeout: 5 * time.Second}).Serve(l)
	}
	log.Fatal(err)
}
