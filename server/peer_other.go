//go:build !linux

package server

import "net"

// peersKnown: nobody asks here who is at the other end of a unix socket.
const peersKnown = false

func peerOf(*net.UnixConn) (Peer, error) { return Peer{}, nil }
