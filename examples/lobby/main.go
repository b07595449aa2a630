// Lobby is a room for all who come, server and client in one program. The administrator, who types at the server,
// kicks whom he names; who joins twice is replaced; and who lost the server comes back to the next.
//
//	lobby -listen 127.0.0.1:7000
//	lobby -join 127.0.0.1:7000 -name alice
package main

import (
	"bufio"
	"bytes"
	"context"
	"flag"
	"fmt"
	"log"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/stormwheel/stormwheel/client"
	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/server"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:7000", "address of a new lobby")
	join := flag.String("join", "", "address of a lobby that is there")
	name := flag.String("name", "", "who joins it")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	run := func() error { return serve(ctx, *listen) }
	if *join != "" {
		run = func() error { return talk(ctx, *join, *name) }
	}
	if err := run(); err != nil {
		log.Fatal(err)
	}
}

var node *server.Server

func serve(ctx context.Context, addr string) (err error) {
	node, err = server.New(server.Config{
		Listen:     addr,
		Duplicates: server.Replace, // of two with one name the later stays
		Handler:    server.Handler{Opened: opened, Message: message, Closed: closed},
		Logger:     slog.Default(),
	})
	if err != nil {
		return err
	}
	go kick()
	return node.Run(ctx)
}

func opened(s *server.Session) {
	if _, back := s.Previous(); !back {
		node.Broadcast(fmt.Appendf(nil, "* %s is here", s.ID()), server.Except(s.Ref()))
	}
}

func message(s *server.Session, m server.Message) {
	if len(bytes.TrimSpace(m.Body)) == 0 {
		s.Nack(m.Number, codec.NackRefused, "there is nothing to say")
	} else if err := node.Broadcast(fmt.Appendf(nil, "%s: %s", s.ID(), m.Body), server.Except(s.Ref())); err != nil {
		s.Nack(m.Number, codec.NackBusy, err.Error())
	} else {
		s.Ack(m.Number)
	}
}

func closed(s *server.Session, why server.Reason) {
	if node.Lookup(s.ID()) == nil { // else another session has taken its place
		node.Broadcast(fmt.Appendf(nil, "* %s has left: %s", s.ID(), why), nil)
	}
}

// kick kicks whose names the administrator types.
func kick() {
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		for _, ref := range node.Lookup(in.Text()) {
			node.Close(ref, server.Close{Code: 3900, Reason: "the administrator wants you to leave"})
		}
	}
}

func talk(ctx context.Context, addr, name string) error {
	c, err := client.New(client.Config{
		Endpoints: []string{addr},
		ID:        name,
		Deliver:   func(m client.Message) { fmt.Printf("%s\n", m.Body) },
		Logger:    slog.Default(), // tells losses and returns
	})
	if err != nil {
		return err
	}
	go func() {
		for in := bufio.NewScanner(os.Stdin); in.Scan(); {
			if err := c.SendAcked(ctx, in.Bytes()); err != nil {
				fmt.Println("  not said:", err)
			} else {
				fmt.Println("  said")
			}
		}
		c.Close()
	}()
	return c.Run(ctx)
}
