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

func serveGnet(t terms) (string, error) {
	d, err := newDesk(t)
	if err != nil {
		return "", err
	}
	h := &bareGnet{desk: d, ready: make(chan struct{})}
	return runGnet(h, h, t)
}

// runGnet runs handler, which has base within, and returns when every loop listens.
func runGnet(handler gnet.EventHandler, base *bareGnet, t terms) (string, error) {
	addr, err := concrete(t.listen)
	if err != nil {
		return "", err
	}
	failed := make(chan error, 1)
	go func() {
		failed <- gnet.Run(handler, "tcp4://"+addr, gnet.WithNumEventLoop(t.loops), gnet.WithReusePort(true),
			gnet.WithReuseAddr(true), gnet.WithTicker(true), gnet.WithLogger(quiet{}))
	}()
	select {
	case <-base.ready:
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
