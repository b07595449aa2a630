package peers

import "github.com/panjf2000/gnet/v2"

// Accept is a server that takes every connection and sends back what it gets, frames or not:
// what a load generator costs is measured with it.
const Accept = "accept"

type acceptor struct{ *bareGnet }

func serveAccept(t *Serve) (string, error) {
	h := acceptor{newBareGnet(t)}
	return h.Run(h, t.Listen, t.Loops)
}

// OnTraffic sends back what came.
func (acceptor) OnTraffic(c gnet.Conn) gnet.Action {
	b, err := c.Next(-1)
	if err == nil {
		_, err = c.Write(b)
	}
	if err != nil {
		return gnet.Close
	}
	return gnet.None
}
