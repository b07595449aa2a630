// Echo answers every message with the same, and acknowledges it.
package main

import (
	"context"
	"flag"
	"log"
	"log/slog"

	"github.com/stormwheel/stormwheel/server"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:7000", "address")
	flag.Parse()
	srv, err := server.New(server.Config{Listen: *listen, Logger: slog.Default(), Handler: server.Handler{
		Message: func(s *server.Session, m server.Message) {
			s.Deliver(m.Body)
			s.Ack(m.Number) // behind the answer: who hears it has the answer
		},
	}})
	if err == nil {
		err = srv.Run(context.Background())
	}
	log.Fatal(err)
}
