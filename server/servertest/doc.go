// Package servertest runs a node in memory, on a clock that the test moves: for tests of a
// server.Handler and a server.Authenticator, as net/http/httptest is for those of an
// http.Handler. The node is a real one. Deadlines, evictions, limits, drains and posts are those
// of package server; only the sockets under it are not there.
//
// The clock is that of testing/synctest, so the timers of the handler, an authenticator that
// takes its time and a token's end go by it as well. A test runs within a bubble:
//
//	func TestEcho(t *testing.T) {
//		synctest.Test(t, func(t *testing.T) {
//			n := servertest.New(t, server.Config{Handler: echo})
//			alice := n.Join("alice")
//			id := alice.Send([]byte("hello"))
//			alice.ExpectDeliver([]byte("hello"))
//			alice.ExpectAck(id)
//			alice.Silence()
//			n.Advance(76 * time.Second) // the timeout is 75 s
//			alice.ExpectGoAway(codec.CodeHeartbeatTimeout)
//		})
//	}
//
// Nothing waits in such a test, and nothing is polled: when a call returns, all that it leads to
// at that moment of the clock has happened, and an hour takes a fraction of a second. One run is
// like the other: keys and numbers that a node draws are always the same, and only goroutines
// that wake at the same nanosecond (timers of a handler, two checks of an authenticator) have no
// order among them.
//
// # Who may call what
//
// Node, Client and their methods belong to the goroutine of the test. Handlers run on the
// node's event loop, as always: what they share with the test needs no lock, since one waits
// while the other runs (let time pass with Advance, not with time.Sleep, which the race detector
// does not take for an order). t.FailNow in a handler ends the node (server.ErrGoexit); t.Error
// does not.
//
// A client may come by WebSocket, too (Node.DialWebSocket).
//
// # What it does not do
//
// There is one loop, and the node is never slow: no time passes while it works. A client takes
// all that is written to it, or nothing (StopReading): there are no kernel's buffers. It keeps
// the protocol but comes back only when the test says so (Return); for the rest there is package client,
// over sockets.
package servertest
