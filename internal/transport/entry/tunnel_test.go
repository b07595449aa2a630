package entry

import (
	"crypto/tls"
	"errors"
	"net/netip"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/selfsigned"
	"github.com/stormwheel/stormwheel/internal/transport"
	"github.com/stormwheel/stormwheel/internal/transport/handshake"
	"github.com/stormwheel/stormwheel/internal/transport/proxy"
	"github.com/stormwheel/stormwheel/internal/transport/transporttest"
	"github.com/stormwheel/stormwheel/internal/transport/websocket"
)

func tlsConfigs(t testing.TB) (server func() transport.Stage, client *tls.Config) {
	c, err := selfsigned.New(time.Hour, "localhost")
	if err != nil {
		t.Fatal(err)
	}
	config, err := handshake.NewConfig(&tls.Config{Certificates: []tls.Certificate{c}})
	if err != nil {
		t.Fatal(err)
	}
	return func() transport.Stage { return handshake.NewServer(config, nil) },
		&tls.Config{RootCAs: selfsigned.Pool(c), ServerName: "localhost"}
}

// Everything that there is as it is, is there in TLS, beside or alone, with a PROXY header outside
// or inside.
func TestTLSKeepsTheContractWithAllThatSpeaksWithin(t *testing.T) {
	server, config := tlsConfigs(t)
	frames := func() transport.Stage { return handshake.NewClient(config, nil) }
	web := func() transport.Stage {
		return transport.NewStack(handshake.NewClient(config, nil), websocket.NewClient(websocket.ClientConfig{Host: "example.com"}))
	}
	header := func(inner transport.Stage) transport.Stage { return proxy.NewSender(headerV2, inner) }
	for name, c := range map[string]struct {
		rules  Rules
		client func() transport.Stage
	}{
		"frames":              {Rules{TLSPlain: true}, frames},
		"frames, all there":   {Rules{TLSPlain: true, Plain: true, WebSocket: true}, frames},
		"WebSocket":           {Rules{TLSWebSocket: true}, web},
		"WebSocket, all":      {Rules{TLSPlain: true, TLSWebSocket: true, Plain: true, WebSocket: true}, web},
		"a header outside":    {Rules{TLSPlain: true, Proxy: ProxyRequired, Trusted: private}, func() transport.Stage { return header(frames()) }},
		"a header inside":     {Rules{TLSPlain: true, Proxy: ProxyRequired, Trusted: private}, func() transport.Stage { return transport.NewStack(handshake.NewClient(config, nil), header(nil)) }},
		"a WebSocket behind":  {Rules{TLSWebSocket: true, Proxy: ProxyOptional, Trusted: private}, func() transport.Stage { return header(web()) }},
		"none, but it may be": {Rules{TLSPlain: true, Proxy: ProxyOptional, Trusted: private}, frames},
	} {
		t.Run(name, func(t *testing.T) {
			transporttest.Check(t, transporttest.Kind{
				Client: c.client,
				Server: func() transport.Stage {
					return arriving{New(Config{Listeners: []Rules{c.rules}, TLS: server()})}
				},
				Garbage: []byte("\x16\x03\x01\x00\x00"),
				Silent:  true,
			})
		})
	}
}

// One header, outside or inside, never both; and inside it is believed as outside.
func TestAHeaderOutsideOrInsideNeverBoth(t *testing.T) {
	server, config := tlsConfigs(t)
	frames := codec.AppendPing(nil, 1, 0)
	for _, c := range []struct {
		what            string
		mode            ProxyMode
		from            netip.Addr
		outside, inside bool
		want            bool
	}{
		{"outside", ProxyRequired, balancer, true, false, true},
		{"inside", ProxyRequired, balancer, false, true, true},
		{"both", ProxyRequired, balancer, true, true, false},
		{"none", ProxyRequired, balancer, false, false, false},
		{"both, optional", ProxyOptional, balancer, true, true, false},
		{"a stranger's inside", ProxyOptional, stranger, false, true, false},
		{"a stranger", ProxyRequired, stranger, false, true, false},
	} {
		stage := New(Config{Listeners: []Rules{{TLSPlain: true, Proxy: c.mode, Trusted: private}}, TLS: server()})
		stage.Arrive(0, 0, c.from)
		ours, theirs := transport.NewLines(stage), transport.NewLines(handshake.NewClient(config, nil))
		var up []byte
		if c.outside {
			up = headerV2(up)
		}
		ours.Begin(0)
		up = append(up, theirs.Begin(0)...)
		if c.inside {
			theirs.Seal(0, headerV2(nil))
		}
		theirs.Seal(0, frames)
		got, err := converse(ours, theirs, up)
		right := err == nil && string(got) == string(frames) && stage.Addr(0) == client.Addr()
		if right != c.want {
			t.Errorf("%s: %q from %v, %v", c.what, got, stage.Addr(0), err)
		}
		ours.End(0)
		theirs.End(0)
	}
}

// converse lets two sides speak until they are silent, and returns what ours has opened.
func converse(ours, theirs *transport.Lines, up []byte) (got []byte, failed error) {
	return converseAt(0, ours, theirs, up)
}

// converseAt is converse of the connection at a slot.
func converseAt(s transport.Slot, ours, theirs *transport.Lines, up []byte) (got []byte, failed error) {
	for len(up) > 0 {
		plain, down, err := takeAll(s, ours, up)
		got, failed = append(got, plain...), errors.Join(failed, err)
		_, up, _ = takeAll(s, theirs, down)
	}
	return got, failed
}

func takeAll(s transport.Slot, l *transport.Lines, b []byte) (plain, words []byte, err error) {
	for {
		in, err := l.Receive(s, b)
		plain, words = append(plain, in.Plain...), append(words, in.Words...)
		l.Keep(s, nil)
		if err != nil || in.Away == nil {
			return plain, words, err
		}
		in.Away()()
		l.Resume(s)
		b = nil
	}
}
