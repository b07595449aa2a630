// Package bare runs event handlers on gnet with nothing of ours: the floor of what a server on gnet costs.
package bare

import (
	"context"
	"net"
	"time"

	"github.com/panjf2000/gnet/v2"
)

// Engine is what a handler has within it, to be run: it knows when every loop listens, and ends
// them.
type Engine struct {
	gnet.BuiltinEventEngine

	engine gnet.Engine
	ready  chan struct{} // closed when every loop listens
}

// Concrete is an address whose port 0 is replaced by a free one, for servers that can't tell what they got.
func Concrete(addr string) (string, error) {
	probe, err := net.Listen("tcp4", addr)
	if err != nil {
		return "", err
	}
	defer probe.Close()
	return probe.Addr().String(), nil
}

// Run runs a handler that has h within it, on so many loops, and returns the address when each of them
// listens. It runs until Stop, or for ever.
func (h *Engine) Run(handler gnet.EventHandler, addr string, loops int, more ...gnet.Option) (string, error) {
	addr, err := Concrete(addr)
	if err != nil {
		return "", err
	}
	h.ready = make(chan struct{})
	options := append([]gnet.Option{gnet.WithNumEventLoop(loops), gnet.WithReusePort(true), gnet.WithReuseAddr(true),
		gnet.WithTicker(true), gnet.WithLogger(quiet{})}, more...)
	failed := make(chan error, 1)
	go func() { failed <- gnet.Run(handler, "tcp4://"+addr, options...) }()
	select {
	case <-h.ready:
		return addr, nil
	case err := <-failed:
		return "", err
	}
}

// Stop ends it.
func (h *Engine) Stop() { _ = h.engine.Stop(context.Background()) }

// OnBoot keeps the engine.
func (h *Engine) OnBoot(e gnet.Engine) gnet.Action {
	h.engine = e
	return gnet.None
}

// OnTick comes first when every loop listens, and hardly ever again.
func (h *Engine) OnTick() (time.Duration, gnet.Action) {
	select {
	case <-h.ready:
	default:
		close(h.ready)
	}
	return time.Hour, gnet.None
}

// quiet is a logger for gnet, which logs to standard output by default, where a ready line and figures
// go.
type quiet struct{}

func (quiet) Debugf(string, ...any) {}
func (quiet) Infof(string, ...any)  {}
func (quiet) Warnf(string, ...any)  {}
func (quiet) Errorf(string, ...any) {}
func (quiet) Fatalf(string, ...any) {}
