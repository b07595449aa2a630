package peers

import (
	"github.com/panjf2000/gnet/v2"
)

// Accept is a server that takes every connection and sends back what it gets, frames or not:
// what a load generator costs is measured with it.
const Accept = "accept"

func serveAccept(t terms) (string, error) {
	h := &acceptor{bareGnet{ready: make(chan struct{})}}
	return runGnet(h, &h.bareGnet, t)
}

type acceptor struct{ bareGnet }

// OnTraffic sends back what came.
func (*acceptor) OnTraffic(c gnet.Conn) gnet.Action {
	b, err := c.Next(-1)
	if err == nil {
		_, err = c.Write(b)
	}
	if err != nil {
		return gnet.Close
	}
	return gnet.None
}
