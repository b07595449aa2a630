package transport

import (
	"errors"
	"net"
	"net/netip"
	"strings"
)

// Way is how a client comes to an endpoint. Zero is frames over TCP.
type Way struct {
	TLS  bool
	Path string // of the WebSocket; "": there is none
}

// UnixPrefix begins the endpoint that is a unix socket, before its path.
const UnixPrefix = "unix:"

// Network is what package net calls an address, and how: "tcp" or "unix".
func Network(addr string) (network, name string) {
	if path, is := strings.CutPrefix(addr, UnixPrefix); is {
		return "unix", path
	}
	return "tcp", addr
}

// ListenNetwork is what package net calls the network of a TCP address that is listened at. To package net "0.0.0.0"
// means IPv6 as well, which nobody who writes it means: an IPv4 address is IPv4 alone. "[::]" and no host are both.
func ListenNetwork(addr string) string {
	host, _, _ := net.SplitHostPort(addr)
	if ip, err := netip.ParseAddr(host); err == nil && ip.Is4() {
		return "tcp4"
	}
	return "tcp"
}

// ParseWay reads an endpoint: "host:port", "unix:path" or "tls://host:port", or a WebSocket's, "ws" or
// "wss", as "wss://host[:port][/path]".
func ParseWay(endpoint string) (addr string, w Way, err error) {
	if strings.HasPrefix(endpoint, UnixPrefix) {
		return endpoint, w, nil
	}
	scheme, rest, found := strings.Cut(endpoint, "://")
	port := ""
	switch {
	case !found:
		return endpoint, w, nil
	case scheme == "tls":
		return rest, Way{TLS: true}, nil
	case scheme == "ws":
		port = "80"
	case scheme == "wss":
		w.TLS, port = true, "443"
	default:
		return "", w, errors.New("is neither host:port nor unix:, tls://, ws:// or wss://")
	}
	addr, w.Path = rest, "/"
	if i := strings.IndexAny(rest, "/?"); i >= 0 {
		addr, w.Path = rest[:i], rest[i:]
	}
	if w.Path[0] == '?' {
		w.Path = "/" + w.Path
	}
	for _, c := range []byte(w.Path) {
		if c <= ' ' || c >= 0x7f || c == '#' {
			return "", Way{}, errors.New("has a path with what must be escaped")
		}
	}
	if _, _, err := net.SplitHostPort(addr); err != nil {
		addr = net.JoinHostPort(strings.Trim(addr, "[]"), port)
	}
	return addr, w, nil
}

// ParseWays is ParseWay of endpoints to which there must be one way.
func ParseWays(endpoints []string) (addrs []string, w Way, err error) {
	for i, e := range endpoints {
		addr, way, err := ParseWay(e)
		switch {
		case err != nil:
			return nil, Way{}, errors.New(e + " " + err.Error())
		case i > 0 && way != w:
			return nil, Way{}, errors.New(e + " is of another transport or path than " + endpoints[0])
		}
		addrs, w = append(addrs, addr), way
	}
	return addrs, w, nil
}
