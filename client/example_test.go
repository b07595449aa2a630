package client_test

import (
	"context"
	"fmt"
	"log"

	"github.com/stormwheel/stormwheel/client"
)

func Example() {
	ctx := context.Background()
	c, err := client.New(client.Config{
		Endpoints: []string{"127.0.0.1:7001", "127.0.0.1:7002"},
		ID:        "alice",
		Deliver:   func(m client.Message) { fmt.Printf("got %s\n", m.Body) },
		Settled:   func(number uint64, o client.Outcome) { fmt.Println("message", number, o.Err) },
	})
	if err != nil {
		log.Fatal(err)
	}
	go c.Send(ctx, []byte("hello")) // waits for the session
	log.Fatal(c.Run(ctx))           // until ctx ends or a server ends the client for good
}
