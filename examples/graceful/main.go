// Graceful ends as a service should: the first SIGTERM or SIGINT hands the clients over to the other
// nodes, so that nobody is offline; a second one, or two minutes, stops at once, and even then every
// client is told when to come back.
package main

import (
	"context"
	"flag"
	"log"
	"log/slog"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/stormwheel/stormwheel/server"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:7000", "address")
	others := flag.String("alternates", "", "other nodes, HOST:PORT,HOST:PORT")
	grace := flag.Duration("grace", 10*time.Second, "in which a balancer notices that the node is not ready")
	flag.Parse()
	var alternates []string
	if *others != "" {
		alternates = strings.Split(*others, ",")
	}
	srv, err := server.New(server.Config{Listen: *listen, Logger: slog.Default(), Alternates: alternates, DrainGrace: *grace})
	if err == nil {
		err = srv.Start()
	}
	if err != nil {
		log.Fatal(err)
	}
	first, _ := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	go func() {
		<-first.Done()
		hard, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
		defer cancel()
		second, stop := signal.NotifyContext(hard, syscall.SIGTERM, syscall.SIGINT)
		defer stop()
		_ = srv.Drain(second) // Wait says how it ended
	}()
	if err := srv.Wait(); err != nil {
		log.Fatal(err)
	}
}
