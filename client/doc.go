// Package client is the embeddable client of a Stormwheel edge: one session, kept alive
// by heartbeats and won back by itself, on another node if need be.
//
//	c, err := client.New(client.Config{
//		Endpoints: []string{"10.0.0.1:7000", "10.0.0.2:7000"},
//		ID:        "alice",
//		Deliver:   func(m client.Message) { fmt.Printf("%s\n", m.Body) },
//	})
//	if err != nil { ... }
//	go c.Run(ctx) // until ctx ends, Close, a callback panics, or a server ends the client for good
//	err = c.SendAcked(ctx, []byte("hello")) // nil: the server's application has it
//
// Endpoints that are tls://, ws:// or wss:// are come to by TLS 1.3 (Config.TLS), by WebSocket, or by both.
//
// Run calls the callbacks, one after another. Every other method may be called from any
// goroutine, callbacks included. An idle client is a goroutine in Run, one for the callbacks,
// one in Read, and one timer set to the next heartbeat.
//
// A dead server is noticed within one interval plus one PongTimeout, whatever is written
// and whether or not TCP says so, counted from when its kernel has the PING: a slow link, up
// or down, on which 4 KiB move in each 10 s is no dead one. Three things put that off: a Deliver
// that does not return, since nothing is read meanwhile, though heartbeats go on; a process that was stopped, by one PongTimeout
// after it goes on; and a machine that was suspended, by one interval after it woke plus
// the second that NetworkChanged gives a server, unless that is called.
//
// Written is not delivered. Send numbers a message and keeps it until the server's application
// has acknowledged or refused it, which Settled tells; it goes again over every new connection
// until then, so that it arrives at least once. SendAcked waits for the answer, and Request
// for a reply. Post is for what wants none. All four keep below the limits that the server tells, so
// that an application need not. Deliver acknowledges a message by its return, or later, and replies
// to one that wants it: see Message. A message that has to
// be recognised beyond one Client needs a key of the application's in its body: see Send.
package client
