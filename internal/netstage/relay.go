package netstage

import (
	"io"
	"net"
	"sync"

	"github.com/stormwheel/stormwheel/internal/transport"
)

// Relay brings connections that have a stage to a node that has none, until the listener is
// closed and they have ended: so the client's side is tested against a real node. stage makes the
// server's side.
func Relay(from net.Listener, to string, stage func() transport.Stage) {
	var running sync.WaitGroup
	defer running.Wait()
	for {
		nc, err := from.Accept()
		if err != nil {
			return
		}
		running.Go(func() { relay(nc, to, stage()) })
	}
}

func relay(nc net.Conn, to string, stage transport.Stage) {
	defer nc.Close()
	staged := New(nc, stage)
	plain, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	defer plain.Close()
	var back sync.WaitGroup
	back.Go(func() {
		_, _ = io.Copy(staged, plain)
		_ = staged.Close() // its last words are behind what the node has said
	})
	_, _ = io.Copy(plain, staged)
	_ = plain.Close()
	back.Wait()
}
