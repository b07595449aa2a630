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
// session, one at a time per loop, and must not block. What is told of a message of DeliverFunc or
// RequestFunc is told where handlers run, too.
//
// A Session is of use within its own callbacks, those of Do, Each and Broadcast's filter included.
// Outside of them its methods that return an error answer ErrOutside, or ErrClosed once it has ended, and do
// nothing; those that tell something and have no error give the zero value. What never changes may be
// asked for at any time, from any goroutine: Ref, Incarnation, Attempt, Stamp, Loop and Previous.
//
// What a handler asks of its Session happens at once, in the order of the calls, and leaves when the
// callback returns. Close alone happens then, and not before: behind all that the callback has asked, and
// what it has posted for the session through Server. What one goroutine asks of one session through
// Server happens in the order in which it asks, what it says to a Sender whose newest session that is included.
//
// # Posts
//
// What other goroutines ask of a session goes through its loop's mailbox: Deliver, DeliverFunc,
// DeliverOptional, RequestFunc, Extend, PauseRead, ResumeRead, Join, Leave, Move, Do and Close of Server. None of it blocks. Nil
// means that it is on its way to the session's loop; what comes there for a session that has ended meanwhile
// counts in Stats.Stale. The errors are ErrClosed (the session has ended, or the node stops), ErrNode (it
// is another node's), and but for Close ErrBusy: the mailbox is full, 16,384 posts or 16 MiB wait for that
// loop. A handler that posts for many sessions of its own loop fills it, for
// nothing is taken out until it returns: it sends a part, and the rest when that has been settled.
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
