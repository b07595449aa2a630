package main

import (
	"flag"
	"net"
	"time"

	"github.com/panjf2000/gnet/v2"

	"github.com/stormwheel/stormwheel/server"
)

// node is a Stormwheel node that holds nobody up.
func node(args []string) error {
	fs := flag.NewFlagSet("node", flag.ContinueOnError)
	heartbeat := fs.Duration("heartbeat", 30*time.Second, "what clients are told")
	if err := fs.Parse(args); err != nil {
		return err
	}
	s, err := server.New(server.Config{Listen: "127.0.0.1:0", Heartbeat: *heartbeat, Timeout: 10 * *heartbeat, AdmitRate: 1e6})
	if err != nil {
		return err
	}
	if err := s.Start(); err != nil {
		return err
	}
	if err := say(ready{s.Addr()}); err != nil {
		return err
	}
	return s.Wait()
}

// accept is a server that takes every connection and sends back what it gets: bare gnet,
// with as many loops as the node has.
func accept(args []string) error {
	// With a listener for each loop gnet cannot take port 0.
	probe, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return err
	}
	addr := probe.Addr().String()
	if err := probe.Close(); err != nil {
		return err
	}
	return gnet.Run(&acceptor{addr: addr}, "tcp4://"+addr, gnet.WithMulticore(true), gnet.WithReusePort(true),
		gnet.WithTicker(true), gnet.WithLogger(quiet{}))
}

type acceptor struct {
	gnet.BuiltinEventEngine
	addr string
	said bool
}

// OnTick comes first when every loop listens.
func (a *acceptor) OnTick() (time.Duration, gnet.Action) {
	if !a.said && say(ready{a.addr}) != nil {
		return 0, gnet.Shutdown
	}
	a.said = true
	return time.Hour, gnet.None
}

func (a *acceptor) OnTraffic(c gnet.Conn) gnet.Action {
	b, err := c.Next(-1)
	if err == nil {
		_, err = c.Write(b)
	}
	if err != nil {
		return gnet.Close
	}
	return gnet.None
}

// quiet keeps gnet's log off standard output, where the line of JSON goes.
type quiet struct{}

func (quiet) Debugf(string, ...any) {}
func (quiet) Infof(string, ...any)  {}
func (quiet) Warnf(string, ...any)  {}
func (quiet) Errorf(string, ...any) {}
func (quiet) Fatalf(string, ...any) {}
