// Package reactor is the server's half of the protocol for the sessions of one event loop. It is
// pure: time, bytes and the number of a new connection come in, bytes and decisions go out. It
// does no I/O, reads no clock and draws no random number, so that a test or a simulation runs
// hours of it in moments, and the same each time.
//
//	r, err := reactor.New(cfg, reactor.Env{Node: node, Transport: sockets, App: app, ...}, now)
//	slot, ok := r.Open(now)       // a connection came: its slot
//	r.Enter(slot, fd)             // the first gate
//	r.Receive(now, slot, b)       // it sent something; answers go to the transport
//	r.Turn(now, late, over)       // once a tick: posts, stop or drain, room, deadlines
//	r.Closed(slot, why)           // its connection has ended
//
// Everything runs on the loop, one call at a time; only the Mailbox is for other goroutines.
// What a node's loops share about who may come in is package gate.
//
// # Where is what
//
//	a connection comes            accept.go, pending.go
//	HELLO                         hello.go, admit_hello.go, auth.go, ghost.go
//	others under its id           login.go, in_use.go, superseded.go, closing.go
//	frames                        receive.go, send_limit.go, special.go, pause.go
//	the end of a grant            grant.go, renew.go
//	answers and messages          write.go, answer.go, charge.go
//	outcomes of messages          await.go
//	messages that come again      taken.go
//	what a stage does by itself   staged.go
//	deadlines                     deadline.go, stall.go, unasked_pong.go, clock.go
//	ends                          ending.go, reason.go
//	a turn                        turn.go, posts.go, mailbox.go
//	everybody, a few a turn       walk.go, moving.go, shed.go, announce.go, rounds.go
//	groups                        groups.go, slotset.go, memberships.go, fanout.go
//	what is kept of a session     session.go, extra.go, names.go
package reactor
