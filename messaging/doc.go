// Package messaging makes a messenger's core of an edge: a Hub is the server.Handler of a node whose
// clients are devices of users. They send messages to users and rooms, and see who is online; messages
// for who is away wait in a Store.
//
//	store, err := messaging.OpenBolt("messages.db", messaging.Bounds{})
//	hub, err := messaging.New(messaging.Config{Store: store})
//	srv, err := server.New(server.Config{Listen: "127.0.0.1:7000", Handler: hub.Handler()})
//	if err := hub.Start(srv); err != nil {
//		return err
//	}
//	err = srv.Run(ctx)
//	err = errors.Join(err, hub.Close(context.Background()), store.Close())
//
// What travels is in package envelope and in docs/MESSAGING.md; package talk is the client's half, and package
// web has calls over HTTP for the application's back end.
//
// # Who is who
//
// A session is a device: its name is the client's id. Its user is what the Authenticator says, else the
// id up to its first "/". Nothing that must survive belongs to a session: what a user has not taken
// belongs to the user, what a room has said to the room, and what a client has no answer for to the
// client. A message is named by its sender, that one's incarnation and a number: a client without an
// incarnation can send none, and a SEND without a number, of which nobody could say what became of it, is
// dropped.
//
// # What it promises
//
// A message to a user goes to all his devices that are online, and is taken when the first has
// acknowledged it. What none has goes back to the queue, in order. An ACK to its sender says that a
// device has it in its application, or that the Store has it: durable, or held in memory without a
// promise. Every SEND is answered within 5 s: what no device has acknowledged after 3 s is stored, and
// what the store has not taken 1.5 s later is refused. So one who is silent holds up nobody but
// himself. Later a receipt tells what became of what was stored.
//
// Messages of one sender to one user arrive in the order in which they were sent, while neither moves.
// Redelivery is common, so receivers drop what they have seen by its name.
//
// A room gives each message an offset; that is all that its ACK means. Who joins with an epoch and an
// offset gets all that came since, or is told that something is missing, never a part. He may get a
// message once more that he had: he drops what is not above his offset.
//
// Presence is told per device: online at once, offline after a grace of 1.2 reconnect windows and 10 s,
// and not at all if it is back by then. Of one device the later stamp counts.
//
// # Several nodes
//
// With Config.Peers the hubs of a cluster are one: a message reaches its user on whichever node he is. It lies
// with its origin, the node that took it, which sends it to all nodes that have devices of his, and has it go again,
// in its order, when he moves or a node dies. What is promised above holds over nodes; what was stored at one node
// waits while that one is down.
//
// A room has a home, the node that its name falls to, which gives the offsets; nodes with members follow it, and
// each lets its own recover. Another home is another epoch, of which members are told once. Watchers are told of
// devices on all nodes, and nobody to be offline who is online on another. What is asked of one hub is asked of
// all, and an answer says if a node is missing in it. See docs/CLUSTER.md.
//
// # What it does not do
//
// Without Peers it knows one node: a message for a user who is on another waits here. A history that a device
// can read again is the application's.
package messaging
