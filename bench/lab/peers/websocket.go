package peers

import (
	"context"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	coder "github.com/coder/websocket"
	"github.com/gorilla/websocket"
	"github.com/lesismal/nbio/logging"
	"github.com/lesismal/nbio/nbhttp"
	nbws "github.com/lesismal/nbio/nbhttp/websocket"
	"github.com/lxzan/gws"

	"github.com/stormwheel/stormwheel/bench/lab/bare"
	"github.com/stormwheel/stormwheel/server"
)

// WebSockets are the servers that answer the same frames in binary messages, each as its own guide
// has it for many connections that mostly wait.
var WebSockets = []Kind{
	{Name: OursWS, Label: "Stormwheel", Evicts: true, start: serveStormwheelWS,
		How: "the first byte tells; a stage before the same reactor"},
	{Name: "gws", Label: "gws v1.8.9", Evicts: true, start: serveGws,
		How: "a goroutine a connection, read buffers of 1 KiB, `SetDeadline` at each message"},
	{Name: "gorilla", Label: "gorilla v1.5.3", Evicts: true, start: serveGorilla,
		How: "a goroutine a connection, read buffers of 512 bytes, pooled write buffers, `SetReadDeadline` before each message"},
	{Name: "nbio-ws", Label: "nbio v1.6.8", Evicts: true, start: serveNbioWS,
		How: "event loops, its default mode; `KeepaliveTime` is the timeout"},
	{Name: "coder", Label: "coder v1.8.15", start: serveCoder,
		How: "a goroutine a connection; no deadline, which would cost it a timer and a context a message"},
	{Name: Centrifuge, Label: "centrifuge v0.40.1", Evicts: true, start: serveCentrifuge,
		How: "two goroutines a connection, read buffers of 512 bytes, pooled write buffers; its own protocol, in protobuf: it pings, and its clients answer within 0.9 of the interval"},
}

// OursWS is ours by WebSocket.
const OursWS = "stormwheel-ws"

func serveStormwheelWS(t *Serve) (string, error) {
	s, err := server.New(server.Config{Listen: t.Listen, Node: t.Node, Loops: t.Loops,
		Transports: []server.Transport{server.TransportTCP, server.TransportWebSocket},
		Heartbeat:  t.Heartbeat, Timeout: t.Timeout, Tick: t.Tick, AdmitRate: t.AdmitRate})
	if err != nil {
		return "", err
	}
	if err := s.Start(); err != nil {
		return "", err
	}
	return s.Addr(), nil
}

// serveHTTP serves a handler that upgrades.
func serveHTTP(t *Serve, handle http.HandlerFunc) (string, error) {
	l, err := net.Listen("tcp4", t.Listen)
	if err != nil {
		return "", err
	}
	go func() { _ = (&http.Server{Handler: handle}).Serve(l) }()
	return l.Addr().String(), nil
}

func serveGorilla(t *Serve) (string, error) {
	up := websocket.Upgrader{ReadBufferSize: 512, WriteBufferPool: new(sync.Pool), WriteBufferSize: 512, Subprotocols: []string{"stormwheel.1"}}
	return serveHTTP(t, func(w http.ResponseWriter, r *http.Request) {
		c, err := up.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer c.Close()
		for {
			if err := c.SetReadDeadline(time.Now().Add(t.Timeout)); err != nil {
				return
			}
			_, m, err := c.ReadMessage()
			if err != nil {
				return
			}
			if t.desk.message(m, func(out []byte) error { return c.WriteMessage(websocket.BinaryMessage, out) }) != nil {
				return
			}
		}
	})
}

func serveCoder(t *Serve) (string, error) {
	return serveHTTP(t, func(w http.ResponseWriter, r *http.Request) {
		c, err := coder.Accept(w, r, &coder.AcceptOptions{Subprotocols: []string{"stormwheel.1"}})
		if err != nil {
			return
		}
		defer c.CloseNow()
		ctx := context.Background()
		for {
			_, m, err := c.Read(ctx)
			if err != nil {
				return
			}
			if t.desk.message(m, func(out []byte) error { return c.Write(ctx, coder.MessageBinary, out) }) != nil {
				return
			}
		}
	})
}

// gwsHandler is gws's.
type gwsHandler struct {
	gws.BuiltinEventHandler
	t *Serve
}

func (h *gwsHandler) OnOpen(c *gws.Conn) { _ = c.SetDeadline(time.Now().Add(h.t.Timeout)) }

func (h *gwsHandler) OnMessage(c *gws.Conn, m *gws.Message) {
	defer m.Close()
	_ = c.SetDeadline(time.Now().Add(h.t.Timeout))
	if h.t.desk.message(m.Bytes(), func(out []byte) error { return c.WriteMessage(gws.OpcodeBinary, out) }) != nil {
		_ = c.NetConn().Close()
	}
}

func serveGws(t *Serve) (string, error) {
	l, err := net.Listen("tcp4", t.Listen)
	if err != nil {
		return "", err
	}
	s := gws.NewServer(&gwsHandler{t: t}, &gws.ServerOption{ReadBufferSize: 1 << 10, SubProtocols: []string{"stormwheel.1"}})
	go func() { _ = s.RunListener(l) }()
	return l.Addr().String(), nil
}

func serveNbioWS(t *Serve) (string, error) {
	addr, err := bare.Concrete(t.Listen)
	if err != nil {
		return "", err
	}
	logging.SetLevel(logging.LevelError)
	up := nbws.NewUpgrader()
	up.KeepaliveTime = t.Timeout
	up.Subprotocols = []string{"stormwheel.1"}
	up.OnMessage(func(c *nbws.Conn, _ nbws.MessageType, m []byte) {
		if t.desk.message(m, func(out []byte) error { return c.WriteMessage(nbws.BinaryMessage, out) }) != nil {
			_ = c.Close()
		}
	})
	engine := nbhttp.NewEngine(nbhttp.Config{Network: "tcp4", Addrs: []string{addr}, NPoller: t.Loops,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = up.Upgrade(w, r, nil) })})
	if err := engine.Start(); err != nil {
		return "", err
	}
	return addr, nil
}

// message answers one that holds whole frames.
func (d *desk) message(m []byte, write func([]byte) error) error {
	out := d.borrow()
	defer d.giveBack(out)
	var used int
	var err error
	if *out, used, err = d.answer(*out, m); err != nil {
		return err
	}
	if used < len(m) {
		return io.ErrUnexpectedEOF
	}
	if len(*out) == 0 {
		return nil
	}
	return write(*out)
}
