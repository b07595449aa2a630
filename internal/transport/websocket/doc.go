// Package websocket is WebSocket (RFC 6455) as a stage of package transport, both sides of it: Server
// answers the upgrade and Client asks for it; then binary messages carry the protocol's frames.
//
// The messages are a stream. What a client seals at once, which is whole frames, is one message; of a server it
// is messages of 4 KiB, so that a page sees a long one come. What a side takes may be cut anywhere: a frame may be
// in several messages or fragments, and several in one.
// So nothing of a message is kept until its end is here, a message has no limit of its own, and the
// limit of the frame within it holds from that frame's header on.
//
// A side speaks no extension and takes no text. Of control frames a ping is answered and a pong is
// passed over; they, and fragments, give nothing plain, and are told as Opened.Frames, so that who
// sends many of them pays for them. They are no life.
//
// An open connection has four bytes (state.go). A frame of which a part is here has a half, and a
// handshake that is not over a pending, as long as they last.
package websocket
