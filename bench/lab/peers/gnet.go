package peers

import (
	"github.com/panjf2000/gnet/v2"

	"github.com/stormwheel/stormwheel/bench/lab/bare"
)

// bareGnet is the floor: gnet and the codec, and nothing else. It welcomes everybody,
// answers, and knows no deadline, no session and no limit.
type bareGnet struct {
	bare.Engine
	*desk
}

func serveGnet(t *Serve) (string, error) {
	h := newBareGnet(t)
	return h.Run(h, t.Listen, t.Loops)
}

func newBareGnet(t *Serve) *bareGnet { return &bareGnet{desk: t.desk} }

func (h *bareGnet) OnTraffic(c gnet.Conn) gnet.Action {
	b, err := c.Peek(-1)
	if err != nil {
		return gnet.Close
	}
	out := h.borrow()
	defer h.giveBack(out)
	answers, used, err := h.answer(*out, b)
	*out = answers
	if err != nil {
		return gnet.Close
	}
	if len(answers) > 0 {
		if _, err := c.Write(answers); err != nil {
			return gnet.None // gnet has closed it
		}
	}
	_, _ = c.Discard(used)
	return gnet.None
}
