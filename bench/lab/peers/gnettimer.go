package peers

import (
	"time"

	"github.com/panjf2000/gnet/v2"
)

// gnetTimer is gnet with a timer of the runtime for each connection, which gnet's
// maintainers advise: it has none of its own.
type gnetTimer struct {
	*bareGnet
	timeout time.Duration
}

func serveGnetTimer(t *Serve) (string, error) {
	h := &gnetTimer{newBareGnet(t), t.Timeout}
	return h.Run(h, t.Listen, t.Loops)
}

func (h *gnetTimer) OnOpen(c gnet.Conn) ([]byte, gnet.Action) {
	c.SetContext(time.AfterFunc(h.timeout, func() { _ = c.Close() })) // on the loop, later
	return nil, gnet.None
}

func (h *gnetTimer) OnTraffic(c gnet.Conn) gnet.Action {
	if timer, ok := c.Context().(*time.Timer); ok {
		timer.Reset(h.timeout)
	}
	return h.bareGnet.OnTraffic(c)
}

func (h *gnetTimer) OnClose(c gnet.Conn, _ error) gnet.Action {
	if timer, ok := c.Context().(*time.Timer); ok {
		timer.Stop()
	}
	return gnet.None
}
