package messaging_test

import (
	"context"
	"fmt"
	"log"

	"github.com/stormwheel/stormwheel/client"
	"github.com/stormwheel/stormwheel/messaging"
	"github.com/stormwheel/stormwheel/messaging/talk"
	"github.com/stormwheel/stormwheel/server"
)

// A node that keeps messages in memory: one that is pushed to a user who is away waits for him.
func Example() {
	store := messaging.NewMemory(messaging.Bounds{})
	hub, err := messaging.New(messaging.Config{Store: store})
	if err != nil {
		log.Fatal(err)
	}
	srv, err := server.New(server.Config{Listen: "127.0.0.1:0", Handler: hub.Handler()})
	if err != nil {
		log.Fatal(err)
	}
	if err := hub.Start(srv); err != nil {
		log.Fatal(err)
	}
	if err := srv.Start(); err != nil {
		log.Fatal(err)
	}

	settled := make(chan messaging.Outcome)
	err = hub.Push("bob", messaging.Message{Content: []byte("your parcel is there")}, func(o messaging.Outcome) { settled <- o })
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println((<-settled).Result)

	ctx, cancel := context.WithCancel(context.Background())
	got := make(chan string)
	bob, err := talk.New(talk.Config{
		Client:  client.Config{Endpoints: []string{srv.Addr()}, ID: "bob/phone"},
		Message: func(m *talk.Message) { got <- string(m.Content) },
	})
	if err != nil {
		log.Fatal(err)
	}
	ended := make(chan error)
	go func() { ended <- bob.Run(ctx) }()
	fmt.Println(<-got)

	cancel()
	<-ended
	if err := srv.Stop(context.Background()); err != nil {
		log.Fatal(err)
	}
	if err := hub.Close(context.Background()); err != nil {
		log.Fatal(err)
	}
	fmt.Println(store.Close())
	// Output:
	// held
	// your parcel is there
	// <nil>
}
