package peers

import (
	"time"

	"github.com/panjf2000/gnet/v2"
)

// bareGnet is the floor: gnet and the codec, and nothing else. It welcomes everybody,
// answers, and knows no deadline, no session and no limit.
type bareGnet struct {
	gnet.BuiltinEventEngine
	*desk
	ready chan struct{}
}

func serveGnet(t *Serve) (string, error) {
	h := newBareGnet(t)
	return h.run(h, t)
}

func newBareGnet(t *Serve) *bareGnet { return &bareGnet{desk: t.desk, ready: make(chan struct{})} }

// run runs a handler that has h within, and returns when every loop listens.
func (h *bareGnet) run(handler gnet.EventHandler, t *Serve) (string, error) {
	addr, err := concrete(t.Listen)
	if err != nil {
		return "", err
	}
	failed := make(chan error, 1)
	go func() {
		failed <- gnet.Run(handler, "tcp4://"+addr, gnet.WithNumEventLoop(t.Loops), gnet.WithReusePort(true),
			gnet.WithReuseAddr(true), gnet.WithTicker(true), gnet.WithLogger(quiet{}))
	}()
	select {
	case <-h.ready:
		return addr, nil
	case err := <-failed:
		return "", err
	}
}

// OnTick comes first when every loop listens, and never again in a run.
func (h *bareGnet) OnTick() (time.Duration, gnet.Action) {
	select {
	case <-h.ready:
	default:
		close(h.ready)
	}
	return time.Hour, gnet.None
}

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

// quiet is a logger for gnet, which logs to standard output by default, where the ready
// line goes.
type quiet struct{}

func (quiet) Debugf(string, ...any) {}
func (quiet) Infof(string, ...any)  {}
func (quiet) Warnf(string, ...any)  {}
func (quiet) Errorf(string, ...any) {}
func (quiet) Fatalf(string, ...any) {}
