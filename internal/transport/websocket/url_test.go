package websocket

import "testing"

func TestParseURL(t *testing.T) {
	for _, c := range []struct {
		endpoint, addr, path string
		is, ok               bool
	}{
		{"127.0.0.1:7000", "127.0.0.1:7000", "", false, true},
		{"ws://127.0.0.1:7000", "127.0.0.1:7000", "/", true, true},
		{"ws://example.com", "example.com:80", "/", true, true},
		{"ws://[::1]", "[::1]:80", "/", true, true},
		{"ws://[::1]:7000/a/b?c=d", "[::1]:7000", "/a/b?c=d", true, true},
		{"ws://example.com?x", "example.com:80", "/?x", true, true},
		{"wss://example.com", "", "", false, false},
		{"ws://example.com/a b", "", "", false, false},
		{"ws://example.com/a\r\nHost: b", "", "", false, false},
		{"ws://example.com/#a", "", "", false, false},
	} {
		addr, path, is, err := ParseURL(c.endpoint)
		if addr != c.addr || path != c.path || is != c.is || (err == nil) != c.ok {
			t.Errorf("%q: %q, %q, %v, %v", c.endpoint, addr, path, is, err)
		}
	}
	if _, _, _, err := ParseURLs([]string{"ws://a:1", "b:1"}); err == nil {
		t.Error("two transports are one")
	}
	if addrs, path, are, err := ParseURLs([]string{"ws://a:1/x", "ws://b:2/x"}); err != nil || !are || path != "/x" || len(addrs) != 2 || addrs[1] != "b:2" {
		t.Errorf("%q, %q, %v, %v", addrs, path, are, err)
	}
}
