// Package entry is where a server's connections come in, as a stage of package transport: the first
// byte says what a connection speaks, and the stage for that has it from then on.
//
//	0x53            frames: it is plain from now on
//	0x0D, "PROXY "  a PROXY header, from who is trusted; then the question anew
//	0x16            TLS, within which the question comes anew (Config.TLS)
//	A to Z          HTTP, and so a WebSocket
//
// What a listener does not have is not asked about: its bytes are those of a plain connection, and
// garbage to it.
//
// Who is refused before it has said anything is told so in plain frames: a client of ours by
// WebSocket knows them by their first byte, and a browser learns that there is no WebSocket.
package entry
