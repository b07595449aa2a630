// Package transport is what stands between a socket and a half of the protocol where that is not
// plain TCP: a Stage takes what the peer sent and gives plain bytes, and the other way round. It is
// pure, like the halves: bytes come in, bytes and decisions go out, so that a simulation runs it.
//
//	lines := transport.NewLines(stage)      // one a loop
//	words := lines.Begin(slot)              // a connection came: what the stage says first
//	in, err := lines.Receive(slot, b)       // it sent something
//	...                                     // in.Words go out; the reader takes of in.Plain what it can
//	over := lines.Keep(slot, in.Plain[n:])  // the rest waits for more
//	wire := lines.Seal(slot, frames)        // what goes to the socket for frames of ours
//	words = lines.Close(slot, code)         // the last that goes there
//	lines.End(slot)                         // the connection has ended
//
// Who drives it: package server a loop's connections, package netstage a net.Conn for package
// client, bench/swarm its sockets. Neither package reactor nor package link knows of it. That is
// package transporttest's to hold: every stage passes its Check.
//
// # Why it is like this
//
// A stage is one object a loop, and each method takes the slot: what it keeps of a connection lies
// in slabs of its own without pointers, and not in an object and an interface a connection.
//
// A loop has one stage. Stages upon each other (WebSocket in TLS: Stack) and the choice by the first
// byte (package entry) are stages that are made of stages: nobody else has to know that there are
// several.
//
// Open appends plain bytes instead of changing those that came. A frame of which half is here is
// seen again when the rest has come; unmasked in place it would be unmasked twice. The copy is
// that of a heartbeat's 30 bytes.
//
// Opened bytes that are half a frame of ours, and those that came and are not opened, wait in
// Lines, in buffers that are there only while something waits: an idle connection has none. They
// count as held, so that they are charged as an unfinished plain frame is.
//
// Who asks for work elsewhere (a handshake) returns it as a function, and that returns what is to
// be done back on the loop. So a stage knows neither goroutines nor names of connections: whoever
// drives it runs the work where it can, and drops the answer if the connection has ended.
//
// Seal may be called before the stage can seal: a refusal, or a client's HELLO. It keeps then what
// it will say among its Words, and counts it as held. So nobody needs to be told that a stage is
// ready.
//
// Closing words are asked for once, behind everything else; with the code, since a WebSocket's
// close frame tells it. What comes after them is not opened any more.
//
// A stage that has no more to do (a PROXY header was read) says Over, and its connection costs what
// a plain one costs from then on. Addr is asked for still.
package transport
