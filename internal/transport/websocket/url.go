package websocket

import (
	"errors"
	"net"
	"strings"
)

// ParseURL reads an endpoint: "host:port", which is no WebSocket, or "ws://host[:port][/path]".
func ParseURL(endpoint string) (addr, path string, is bool, err error) {
	if !strings.Contains(endpoint, "://") {
		return endpoint, "", false, nil
	}
	rest, found := strings.CutPrefix(endpoint, "ws://")
	if !found {
		return "", "", false, errors.New("is neither host:port nor ws://")
	}
	addr, path = rest, "/"
	if i := strings.IndexAny(rest, "/?"); i >= 0 {
		addr, path = rest[:i], rest[i:]
	}
	if path[0] == '?' {
		path = "/" + path
	}
	for _, c := range []byte(path) {
		if c <= ' ' || c >= 0x7f || c == '#' {
			return "", "", false, errors.New("has a path with what must be escaped")
		}
	}
	if _, _, err := net.SplitHostPort(addr); err != nil {
		addr = net.JoinHostPort(strings.Trim(addr, "[]"), "80")
	}
	return addr, path, true, nil
}

// ParseURLs is ParseURL of endpoints that must be alike: all, and with one path, or none.
func ParseURLs(endpoints []string) (addrs []string, path string, are bool, err error) {
	for i, e := range endpoints {
		addr, p, is, err := ParseURL(e)
		switch {
		case err != nil:
			return nil, "", false, errors.New(e + " " + err.Error())
		case i > 0 && (is != are || p != path):
			return nil, "", false, errors.New(e + " is of another transport or path than " + endpoints[0])
		}
		addrs, path, are = append(addrs, addr), p, is
	}
	return addrs, path, are, nil
}
