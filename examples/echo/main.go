// Echo answers every message with the same, and acknowledges it.
package main

import (
	"flag"
	"log"

	"github.com/stormwheel/stormwheel/server"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:7000", "address")
	flag.Parse()
	log.Fatal(server.ListenAndServe(server.Config{Listen: *listen, Handler: server.Handler{Message: echo}}))
}

func echo(s *server.Session, m server.Message) {
	s.Deliver(m.Body)
	s.Ack(m.Number) // behind the answer: who hears it has the answer
}
