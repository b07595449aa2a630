package interop

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/client"
	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/server"
)

const patience = time.Minute

// session is what a node has seen of a client.
type session struct {
	addr netip.Addr
	by   server.Transport
}

// startNode starts a node that echoes and acknowledges, and closes who says "kick".
func startNode(t *testing.T, cfg server.Config) (*server.Server, <-chan session) {
	t.Helper()
	seen := make(chan session, 100)
	if cfg.Listeners == nil {
		cfg.Listen = "127.0.0.1:0"
	}
	cfg.IDRate, cfg.Loops = -1, 2
	cfg.Handler = server.Handler{
		Opened: func(s *server.Session) { seen <- session{s.Addr(), s.Transport()} },
		Message: func(s *server.Session, m server.Message) {
			if string(m.Body) == "kick" {
				_ = s.Close(server.Close{Code: codec.CodeKicked})
				return
			}
			_ = s.Deliver(m.Body)
			_ = s.Ack(m.Number)
		},
	}
	s, err := server.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if err := s.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
	return s, seen
}

func webSockets() server.Config {
	return server.Config{Transports: []server.Transport{server.TransportTCP, server.TransportWebSocket}}
}

var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}

func hello(id string) []byte {
	b, err := codec.AppendHello(nil, &codec.HelloMessage{MinVersion: 1, MaxVersion: 1, ClientID: []byte(id)})
	if err != nil {
		panic(err)
	}
	return b
}

// stream reads frames out of messages.
type stream struct {
	t    *testing.T
	next func() ([]byte, error) // the next message
	buf  []byte
}

// want takes the next frame, which must be of that type; terms told unasked may come before it.
func (s *stream) want(typ codec.Type) codec.Frame {
	s.t.Helper()
	for {
		f, n, err := codec.Decode(s.buf, 1<<20)
		switch {
		case err == nil && f.Type == codec.Pong && typ != codec.Pong:
			s.buf = s.buf[n:]
		case err == nil:
			if s.buf = s.buf[n:]; f.Type != typ {
				s.t.Fatalf("got %v, want %v", f.Type, typ)
			}
			return f
		case !errors.Is(err, codec.ErrIncomplete):
			s.t.Fatal(err)
		default:
			b, err := s.next()
			if err != nil {
				s.t.Fatalf("%v, and no %v", err, typ)
			}
			s.buf = append(s.buf[:len(s.buf):len(s.buf)], b...)
		}
	}
}

// talk has our client come to an endpoint, by a source address if there is one, and say something.
func talk(t *testing.T, endpoint, source string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cfg := client.Config{Endpoints: []string{endpoint}, ID: "ours", Deliver: func(client.Message) {}}
	if strings.HasPrefix(endpoint, "tls:") || strings.HasPrefix(endpoint, "wss:") {
		cfg.TLS = &tls.Config{InsecureSkipVerify: true}
	}
	if source != "" {
		d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(source)}}
		cfg.Dial = d.DialContext
	}
	c, err := client.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ran := make(chan error, 1)
	go func() { ran <- c.Run(ctx) }()
	for _, body := range []string{"hello", strings.Repeat("x", 60_000)} {
		if err := c.SendAcked(ctx, []byte(body)); err != nil {
			t.Errorf("%d bytes: %v, and %v", len(body), err, c.Info().LastError)
		}
	}
	_ = c.Close()
	if err := <-ran; err != nil {
		t.Error(err)
	}
}

// bridge carries bytes between a message-wise end and a plain node.
func bridge(node string, next func() ([]byte, error), send func([]byte) error) {
	nc, err := net.Dial("tcp", node)
	if err != nil {
		return
	}
	go func() {
		defer nc.Close()
		for {
			b, err := next()
			if err != nil {
				return
			}
			if _, err := nc.Write(b); err != nil {
				return
			}
		}
	}()
	buf := make([]byte, 4096)
	for {
		n, err := nc.Read(buf)
		if n > 0 && send(buf[:n]) != nil || err != nil {
			break
		}
	}
	nc.Close()
}
