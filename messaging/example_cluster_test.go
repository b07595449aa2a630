package messaging_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/stormwheel/stormwheel/client"
	"github.com/stormwheel/stormwheel/cluster"
	"github.com/stormwheel/stormwheel/messaging"
	"github.com/stormwheel/stormwheel/messaging/talk"
	"github.com/stormwheel/stormwheel/server"
)

// edge is a node of a cluster with its hub and its server.
type edge struct {
	bus  cluster.Bus
	node *cluster.Node
	hub  *messaging.Hub
	srv  *server.Server
}

// begin makes a node. The Hub brings the Node its sessions, and starts it; without a Hub that is Node.Wrap and Node.Start.
func begin(bus cluster.Bus, name string) (m edge, err error) {
	return beginWith(bus, cluster.Config{Node: name, Replace: true})
}

func beginWith(bus cluster.Bus, cfg cluster.Config) (m edge, err error) {
	m.bus, cfg.Bus = bus, bus
	if m.node, err = cluster.New(cfg); err != nil {
		return m, err
	}
	if m.hub, err = messaging.New(messaging.Config{Store: messaging.NewMemory(messaging.Bounds{}), Peers: m.node}); err != nil {
		return m, err
	}
	m.srv, err = server.New(server.Config{Node: cfg.Node, Listen: "127.0.0.1:0", Duplicates: server.Replace, Handler: m.hub.Handler()})
	if err != nil {
		return m, err
	}
	if err := m.hub.Start(m.srv); err != nil { // before the first client is let in
		return m, err
	}
	if err := m.srv.Start(); err != nil {
		return m, err
	}
	return m, m.node.Advertise(m.srv.Addr()) // clients of the others are told
}

// end ends what begin has made, in the opposite order.
func (m edge) end(ctx context.Context) error {
	if err := m.srv.Stop(ctx); err != nil { // Drain hands the clients over instead
		return err
	}
	if err := m.hub.Close(ctx); err != nil {
		return err
	}
	m.node.Close() // the others know at once
	return m.bus.Close()
}

// Two nodes in one process, over a bus in memory; natsbus.New makes one that reaches over the network. What is pushed at
// one node finds its user at the other.
func Example_cluster() {
	var network cluster.Memory
	a, err := begin(network.Bus("a"), "a")
	if err != nil {
		log.Fatal(err)
	}
	b, err := begin(network.Bus("b"), "b")
	if err != nil {
		log.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := a.node.Meet(ctx, 1); err != nil { // ready when the other has been seen
		log.Fatal(err)
	}

	got := make(chan string)
	bob, err := talk.New(talk.Config{
		Client:  client.Config{Endpoints: []string{b.srv.Addr()}, ID: "bob/phone"},
		Message: func(m *talk.Message) { got <- string(m.Content) },
	})
	if err != nil {
		log.Fatal(err)
	}
	running, stop := context.WithCancel(ctx)
	ended := make(chan error)
	go func() { ended <- bob.Run(running) }()
	if err := a.hub.Push("bob", messaging.Message{Content: []byte("your parcel is there")}, nil); err != nil {
		log.Fatal(err)
	}
	fmt.Println(<-got)

	stop()
	<-ended
	for _, m := range []edge{b, a} {
		if err := m.end(ctx); err != nil {
			log.Fatal(err)
		}
	}
	// Output: your parcel is there
}
