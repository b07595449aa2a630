// Package cluster makes one edge of several nodes: they know each other, each other's clients, and what each can
// take, and their hubs talk to each other.
//
//	bus, err := natsbus.New(natsbus.Config{Node: "a", Peers: []string{"10.0.0.1:6222", "10.0.0.2:6222"}, ...})
//	node, err := cluster.New(cluster.Config{Node: "a", Bus: bus, Advertise: "10.0.0.1:7000", Replace: true})
//	srv, err := server.New(server.Config{Node: "a", Handler: node.Wrap(handler), ...})
//	err = node.Start(srv, cluster.Handler{})
//	err = srv.Start()
//
// A Node is the driver of a pure machine (internal/peer), which has no clock and does no I/O: it brings it the
// time and what comes by the Bus, and does what it asks for. docs/CLUSTER.md tells what a cluster promises, and what it does not.
//
// # What it does for a server
//
// Clients are told the live nodes that do not drain as alternates, and a reconnect window that those can take
// (server.Server.Update). A login elsewhere of the same client id ends the session here, if Config.Replace says so. When a node
// joins, others hand it clients until all have as many, and none is offline meanwhile.
//
// # Who may call what
//
// Any goroutine may call the methods of a Node, handlers of a server included; but Meet and Close wait, and a
// Handler must call neither. Handler's functions are called one at a time, on goroutines of the Bus or the
// Node.
package cluster
