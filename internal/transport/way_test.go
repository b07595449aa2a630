package transport_test

import (
	"testing"

	"github.com/stormwheel/stormwheel/internal/transport"
)

func TestParseWay(t *testing.T) {
	for _, c := range []struct {
		endpoint, addr string
		way            transport.Way
		ok             bool
	}{
		{"127.0.0.1:7000", "127.0.0.1:7000", transport.Way{}, true},
		{"unix:/run/a b://c.sock", "unix:/run/a b://c.sock", transport.Way{}, true},
		{"tls://example.com:7000", "example.com:7000", transport.Way{TLS: true}, true},
		{"ws://127.0.0.1:7000", "127.0.0.1:7000", transport.Way{Path: "/"}, true},
		{"ws://example.com", "example.com:80", transport.Way{Path: "/"}, true},
		{"wss://example.com", "example.com:443", transport.Way{TLS: true, Path: "/"}, true},
		{"ws://[::1]", "[::1]:80", transport.Way{Path: "/"}, true},
		{"wss://[::1]:7000/a/b?c=d", "[::1]:7000", transport.Way{TLS: true, Path: "/a/b?c=d"}, true},
		{"ws://example.com?x", "example.com:80", transport.Way{Path: "/?x"}, true},
		{"https://example.com", "", transport.Way{}, false},
		{"ws://example.com/a b", "", transport.Way{}, false},
		{"ws://example.com/a\r\nHost: b", "", transport.Way{}, false},
		{"ws://example.com/#a", "", transport.Way{}, false},
	} {
		addr, way, err := transport.ParseWay(c.endpoint)
		if addr != c.addr || way != c.way || (err == nil) != c.ok {
			t.Errorf("%q: %q, %+v, %v", c.endpoint, addr, way, err)
		}
	}
	for _, two := range [][]string{{"ws://a:1", "b:1"}, {"tls://a:1", "a:1"}, {"ws://a:1/x", "wss://a:1/x"}} {
		if _, _, err := transport.ParseWays(two); err == nil {
			t.Errorf("%q are one way", two)
		}
	}
	if addrs, way, err := transport.ParseWays([]string{"ws://a:1/x", "ws://b:2/x"}); err != nil || way.Path != "/x" || len(addrs) != 2 || addrs[1] != "b:2" {
		t.Errorf("%q, %+v, %v", addrs, way, err)
	}
}
