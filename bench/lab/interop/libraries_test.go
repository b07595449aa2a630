package interop

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	coder "github.com/coder/websocket"
	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
	gorilla "github.com/gorilla/websocket"
	"github.com/lxzan/gws"

	"github.com/stormwheel/stormwheel/codec"
)

const protocol = "stormwheel.1"

// other is another library's client.
type other struct {
	next  func() ([]byte, error)
	send  func(b []byte) error
	ping  func() error // and its answer
	close func() error
	code  func(error) int // of the close frame
}

var clients = map[string]func(t *testing.T, url string) other{
	"coder":   coderClient,
	"gorilla": gorillaClient,
	"gobwas":  gobwasClient,
	"gws":     gwsClient,
}

func coderClient(t *testing.T, url string) other {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	c, _, err := coder.Dial(ctx, url, &coder.DialOptions{Subprotocols: []string{protocol}})
	if err != nil {
		t.Fatal(err)
	}
	c.SetReadLimit(1 << 20)
	if c.Subprotocol() != protocol {
		t.Errorf("the subprotocol is %q", c.Subprotocol())
	}
	return other{
		next: func() ([]byte, error) { _, b, err := c.Read(ctx); return b, err },
		send: func(b []byte) error { return c.Write(ctx, coder.MessageBinary, b) },
		ping: func() error {
			reading := make(chan error, 1)
			go func() { reading <- c.Ping(ctx) }()
			for { // it is read by who reads messages, of which there are PONGs
				if err := c.Write(ctx, coder.MessageBinary, codec.AppendPing(nil, 9, 0)); err != nil {
					return err
				}
				if _, _, err := c.Read(ctx); err != nil {
					return err
				}
				select {
				case err := <-reading:
					return err
				default:
				}
			}
		},
		close: func() error { return c.CloseNow() },
		code:  func(err error) int { return int(coder.CloseStatus(err)) },
	}
}

func gorillaClient(t *testing.T, url string) other {
	d := gorilla.Dialer{Subprotocols: []string{protocol}, HandshakeTimeout: patience}
	c, _, err := d.Dial(url, nil)
	if err != nil {
		t.Fatal(err)
	}
	pongs := make(chan string, 10)
	c.SetPongHandler(func(data string) error { pongs <- data; return nil })
	_ = c.SetReadDeadline(time.Now().Add(patience))
	return other{
		next: func() ([]byte, error) { _, b, err := c.ReadMessage(); return b, err },
		send: func(b []byte) error { // in fragments
			w, err := c.NextWriter(gorilla.BinaryMessage)
			if err != nil {
				return err
			}
			if _, err := w.Write(b); err != nil {
				return err
			}
			return w.Close()
		},
		ping: func() error {
			if err := c.WriteControl(gorilla.PingMessage, []byte("there?"), time.Now().Add(patience)); err != nil {
				return err
			}
			if err := c.WriteMessage(gorilla.BinaryMessage, codec.AppendPing(nil, 9, 0)); err != nil {
				return err
			}
			if _, _, err := c.ReadMessage(); err != nil {
				return err
			}
			if got := <-pongs; got != "there?" {
				return fmt.Errorf("the pong says %q", got)
			}
			return nil
		},
		close: c.Close,
		code: func(err error) int {
			var e *gorilla.CloseError
			if !errors.As(err, &e) {
				return 0
			}
			return e.Code
		},
	}
}

func gobwasClient(t *testing.T, url string) other {
	d := ws.Dialer{Protocols: []string{protocol}, Timeout: patience}
	c, early, _, err := d.Dial(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	if early != nil {
		t.Fatal("the node said something by itself")
	}
	_ = c.SetDeadline(time.Now().Add(patience))
	return other{
		next: func() ([]byte, error) { return wsutil.ReadServerBinary(c) },
		send: func(b []byte) error { // a frame for each half
			half := len(b) / 2
			if err := ws.WriteFrame(c, ws.MaskFrame(ws.NewFrame(ws.OpBinary, false, bytes.Clone(b[:half])))); err != nil {
				return err
			}
			return ws.WriteFrame(c, ws.MaskFrame(ws.NewFrame(ws.OpContinuation, true, bytes.Clone(b[half:]))))
		},
		ping: func() error {
			if err := ws.WriteFrame(c, ws.MaskFrame(ws.NewPingFrame([]byte("there?")))); err != nil {
				return err
			}
			h, err := ws.ReadHeader(c)
			if err != nil {
				return err
			}
			b := make([]byte, 6)
			if _, err = io.ReadFull(c, b); err == nil && (h.OpCode != ws.OpPong || h.Length != 6 || string(b) != "there?") {
				err = fmt.Errorf("opcode %v, %d bytes: %q", h.OpCode, h.Length, b)
			}
			return err
		},
		close: c.Close,
		code: func(err error) int {
			var e wsutil.ClosedError
			if !errors.As(err, &e) {
				return 0
			}
			return int(e.Code)
		},
	}
}

// gwsEvents hands on what a connection of gws hears.
type gwsEvents struct {
	gws.BuiltinEventHandler
	messages chan []byte
	pongs    chan string
	closed   chan error
}

func (e *gwsEvents) OnMessage(_ *gws.Conn, m *gws.Message) {
	e.messages <- bytes.Clone(m.Bytes())
	_ = m.Close()
}
func (e *gwsEvents) OnPong(_ *gws.Conn, b []byte)   { e.pongs <- string(b) }
func (e *gwsEvents) OnClose(_ *gws.Conn, err error) { e.closed <- err }

func newGwsEvents() *gwsEvents {
	return &gwsEvents{messages: make(chan []byte, 100), pongs: make(chan string, 10), closed: make(chan error, 1)}
}

func (e *gwsEvents) next() ([]byte, error) {
	select {
	case b := <-e.messages:
		return b, nil
	case err := <-e.closed:
		e.closed <- err
		select {
		case b := <-e.messages:
			return b, nil
		default:
			return nil, err
		}
	case <-time.After(patience):
		return nil, errors.New("nothing comes")
	}
}

func gwsClient(t *testing.T, url string) other {
	e := newGwsEvents()
	c, _, err := gws.NewClient(e, &gws.ClientOption{Addr: url, RequestHeader: http.Header{"Sec-WebSocket-Protocol": {protocol}}})
	if err != nil {
		t.Fatal(err)
	}
	go c.ReadLoop()
	return other{
		next: e.next,
		send: func(b []byte) error { return c.WriteMessage(gws.OpcodeBinary, b) },
		ping: func() error {
			if err := c.WritePing([]byte("there?")); err != nil {
				return err
			}
			if got := <-e.pongs; got != "there?" {
				return fmt.Errorf("the pong says %q", got)
			}
			return nil
		},
		close: func() error { return c.NetConn().Close() },
		code: func(err error) int {
			var ce *gws.CloseError
			if !errors.As(err, &ce) {
				return 0
			}
			return int(ce.Code)
		},
	}
}

// Other libraries' clients at a node of ours.
func TestClientsOfOtherLibraries(t *testing.T) {
	node, seen := startNode(t, webSockets())
	for name, dial := range clients {
		t.Run(name, func(t *testing.T) {
			c := dial(t, "ws://"+node.Addr()+"/")
			defer c.close()
			s := &stream{t: t, next: c.next}
			h := hello(name)
			for _, b := range [][]byte{h[:5], h[5:]} { // a frame in two messages
				if err := c.send(b); err != nil {
					t.Fatal(err)
				}
			}
			s.want(codec.Welcome)
			if is := <-seen; is.by != "websocket" {
				t.Errorf("it came by %v", is.by)
			}
			if err := c.ping(); err != nil {
				t.Errorf("ping: %v", err)
			}
			body := strings.Repeat("m", 50_000)
			if err := c.send(append(codec.AppendPing(nil, 1, 0), codec.AppendSend(nil, 1, []byte(body))...)); err != nil { // two frames in one
				t.Fatal(err)
			}
			if _, got, err := codec.ParseMessage(s.want(codec.Deliver).Payload); err != nil || string(got) != body {
				t.Errorf("%d bytes come back, %v", len(got), err)
			}
			s.want(codec.Ack)
			if err := c.send(codec.AppendSend(nil, 2, []byte("kick"))); err != nil {
				t.Fatal(err)
			}
			s.want(codec.GoAway)
			for {
				if _, err := c.next(); err != nil {
					if code := c.code(err); code != 4009 {
						t.Errorf("it is closed with %d (%v), want 4009", code, err)
					}
					break
				}
			}
		})
	}
}

// Our client at servers of other libraries, behind which a plain node is.
func TestServersOfOtherLibraries(t *testing.T) {
	node, seen := startNode(t, webSockets())
	for name, serve := range map[string]http.HandlerFunc{
		"coder": func(w http.ResponseWriter, r *http.Request) {
			c, err := coder.Accept(w, r, &coder.AcceptOptions{Subprotocols: []string{protocol}})
			if err != nil {
				return
			}
			c.SetReadLimit(-1)
			bridge(node.Addr(), func() ([]byte, error) { _, b, err := c.Read(r.Context()); return b, err },
				func(b []byte) error { return c.Write(r.Context(), coder.MessageBinary, b) })
			c.Close(coder.StatusNormalClosure, "")
		},
		"gorilla": func(w http.ResponseWriter, r *http.Request) {
			u := gorilla.Upgrader{Subprotocols: []string{protocol}, WriteBufferSize: 512} // long messages come in fragments
			c, err := u.Upgrade(w, r, nil)
			if err != nil {
				return
			}
			defer c.Close()
			bridge(node.Addr(), func() ([]byte, error) { _, b, err := c.ReadMessage(); return b, err },
				func(b []byte) error {
					w, err := c.NextWriter(gorilla.BinaryMessage)
					if err == nil {
						_, err = w.Write(b)
					}
					if err == nil {
						err = w.Close()
					}
					return err
				})
		},
		"gobwas": func(w http.ResponseWriter, r *http.Request) {
			u := ws.HTTPUpgrader{Protocol: func(s string) bool { return s == protocol }}
			c, rw, _, err := u.Upgrade(r, w)
			if err != nil {
				return
			}
			defer c.Close()
			in := struct {
				io.Reader
				io.Writer
			}{rw, c}
			bridge(node.Addr(), func() ([]byte, error) { return wsutil.ReadClientBinary(in) },
				func(b []byte) error { return wsutil.WriteServerBinary(c, b) })
		},
		"gws": func(w http.ResponseWriter, r *http.Request) {
			e := newGwsEvents()
			c, err := gws.NewUpgrader(e, &gws.ServerOption{SubProtocols: []string{protocol}}).Upgrade(w, r)
			if err != nil {
				return
			}
			go c.ReadLoop()
			defer c.NetConn().Close()
			bridge(node.Addr(), e.next, func(b []byte) error { return c.WriteMessage(gws.OpcodeBinary, b) })
		},
	} {
		t.Run(name, func(t *testing.T) {
			web := httptest.NewServer(serve)
			defer web.Close()
			defer web.CloseClientConnections()
			talk(t, "ws"+strings.TrimPrefix(web.URL, "http")+"/edge", "")
			if is := <-seen; is.by != "tcp" {
				t.Errorf("the bridge came by %v", is.by)
			}
		})
	}
}
