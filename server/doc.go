// Package server is an edge for very many long-lived connections: gnet event loops hold
// the sockets without a goroutine each, a timing wheel per loop knows every client's
// last-read deadline, and whoever falls silent is evicted in time.
//
//	srv, err := server.New(server.Config{
//		Listen: "127.0.0.1:7000",
//		Handler: server.Handler{Message: func(s *server.Session, m server.Message) {
//			s.Deliver(m.Body)
//			s.Ack(m.Number)
//		}},
//	})
//	if err != nil {
//		return err
//	}
//	return srv.Run(ctx)
//
// Run stops the node when ctx ends: clients are told to come back. A node that hands its clients
// over to others first is started, waited for and drained (see the example of Drain).
//
// # Who may call what
//
// The methods of Server may be called from any goroutine but a handler's where they block, which
// Start, Run, Wait, Stop, Drain, Request, Each, Sessions, Visit and Members do; no other does. Handlers run on the event loop of their
// session, one at a time per loop, and must not block; a Session is of use only within them.
// What is told of a message of DeliverFunc or RequestFunc is told where handlers run, too.
// What one goroutine asks of one session through Server happens in the order in which it asks, what
// it says to a Sender whose newest session that is included;
// what a handler asks of its Session happens at once, and what it has posted for it through
// Server before it closes it comes before the end.
//
// # Messages
//
// Written is not delivered. Deliver sends and asks for nothing, which is what broadcasts want;
// DeliverFunc tells once what became of a message: acknowledged by the client's application,
// refused by it, lost with its session, or not sent. Request waits for what the client replies, and
// RequestFunc is told of it. Nobody but the application keeps the body of a message.
// In the other direction the handler settles what clients send, by Ack, AckRange and Nack, and by Reply
// where Message.WantsReply, at once or later: until then a client keeps its message, and sends it again
// over its next connection. The node recognises it there, and gives it to the handler once. What is
// settled later is addressed to the client as a Sender, not to a session: by then it may have come over
// another one.
//
// # How clients come
//
// Over TCP, by WebSocket, or by either within TLS 1.3 (Config.TLS), as Config.Transports has it; a connection's first byte tells, so that one
// port is enough, and Config.Listeners may have several with rules of their own. Behind balancers
// Config.TrustedProxies and Config.ProxyProtocol say who is believed about where a client is. Session.Transport
// and Session.Addr tell. Nothing else differs: every transport keeps every promise.
//
// # Who is who
//
// A client has an id; a session has a Ref. By default nothing is kept of ids, and any number of sessions
// may have the same. Config.Duplicates bounds them, Lookup finds them, and a client that comes back or is
// handed over is known as the same: Session.Previous names the session that its new one goes on from.
// Close ends a session, Move asks its client to go elsewhere, and Do runs a function on its loop.
//
// # Many
//
// Sessions Join groups, and Publish brings a message to all members of one: that is one post a loop, and
// then a walk of the loop over its members, a few at a time. Broadcast goes to all sessions of the node or
// to those of a filter, and Each looks at all of them. Who is slow misses messages that are for many, and
// Handler.Missed tells how many.
//
// # Changes while it runs
//
// Update changes rates, limits, places, alternates, secrets and the times of a drain; Tunable lists
// them. Clients are told, and nobody is held to a tighter limit that he could not know.
//
// # What it promises
//
// A silent client is evicted no earlier than Timeout after its last complete frame
// reached the kernel, and no later than Timeout + 2 ticks (4 if the kernel held unread
// bytes of it) + Stats.Held + Stats.Debt. In the middle of a frame PartialTimeout ends it if that is
// sooner, and a frame that grows by 4 KiB in each PartialTimeout keeps it. A stall of the server evicts nobody whose bytes had arrived. Nothing that a peer sends
// or withholds costs more than its own connection. docs/ARCHITECTURE.md tells how.
//
// Package servertest runs a node in memory, for tests of a Handler and an Authenticator.
//
// # What it does not do
//
// It does not keep messages for clients that are away, or route between nodes.
// Accept failing with ENFILE, ENOBUFS or ENOMEM (the machine's limits, not the
// process's) ends the engine: Run then returns ErrEngine.
package server
