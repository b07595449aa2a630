package server

import (
	"io"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"testing"
)

// Why a connection got no further than its transport is told at debug, one line a second, and nowhere else.
func TestWhatATransportTurnsAwayIsToldAtDebug(t *testing.T) {
	for _, level := range []slog.Level{slog.LevelDebug, slog.LevelInfo} {
		var log lines
		cfg := Config{Loops: 1, Logger: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: level})),
			Listeners: []Listener{
				{Addr: "127.0.0.1:0", Transports: []Transport{TransportTLS}},
				{Addr: "127.0.0.1:0", Transports: []Transport{TransportWebSocket}},
				{Addr: "127.0.0.1:0", Transports: []Transport{TransportTCP}, ProxyProtocol: ProxyRequired,
					TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}},
			}}
		withTLS(&cfg)
		s, err := New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		start(t, s)
		upgrade := "GET / HTTP/1.1\r\nHost: a\r\nOrigin: https://evil.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
			"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: stormwheel.1\r\n\r\n"
		for i, c := range []struct{ says, told string }{
			{"\x16\x03\x01\x00\x05hello", "a TLS handshake failed"},
			{upgrade, "evil.example"},
			{string(helloFrame("a")), "no PROXY header"},
		} {
			s.rejects.last.Store(0)
			for range 2 {
				nc, err := net.Dial("tcp", s.Addrs()[i])
				if err != nil {
					t.Fatal(err)
				}
				if _, err := io.WriteString(nc, c.says); err != nil {
					t.Fatal(err)
				}
				_ = nc.(*net.TCPConn).CloseWrite()
				_, _ = io.Copy(io.Discard, nc)
				nc.Close()
			}
			text := log.String()
			if n := strings.Count(text, c.told); n > 2 || (n > 0) != (level == slog.LevelDebug) {
				t.Errorf("level %v: %q is told %d times of two:\n%s", level, c.told, n, text)
			}
			if level == slog.LevelDebug && !strings.Contains(text, "addr=127.0.0.1") {
				t.Errorf("nothing is said of the address:\n%s", text)
			}
		}
	}
}
