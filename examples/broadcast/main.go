// Broadcast tells everybody the time, once a second: each session joins a group when it begins, and
// one Publish reaches them all.
package main

import (
	"context"
	"flag"
	"log"
	"log/slog"
	"time"

	"github.com/stormwheel/stormwheel/server"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:7000", "address")
	every := flag.Duration("every", time.Second, "between two messages")
	flag.Parse()
	srv, err := server.New(server.Config{Listen: *listen, Logger: slog.Default(), Handler: server.Handler{
		Opened: func(s *server.Session) { s.Join("clock") },
		Missed: func(s *server.Session, _ string, messages int) {
			log.Printf("%s is slow and missed %d", s.ID(), messages)
		},
	}})
	if err != nil {
		log.Fatal(err)
	}
	go func() {
		for now := range time.Tick(*every) {
			if err := srv.Publish("clock", []byte(now.Format(time.RFC3339))); err != nil {
				log.Print(err) // server.ErrBusy: the last ones are still on their way
			}
		}
	}()
	log.Fatal(srv.Run(context.Background()))
}
