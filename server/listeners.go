package server

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"slices"
	"strings"

	"github.com/stormwheel/stormwheel/internal/transport/entry"
	"github.com/stormwheel/stormwheel/internal/transport/websocket"
)

// Transport names what carries a session.
type Transport string

// The transports.
const (
	TransportTCP       Transport = "tcp"       // frames over TCP; of a listener that is a unix socket, over that
	TransportUnix      Transport = "unix"      // what Session.Transport calls the latter; no listener names it
	TransportWebSocket Transport = "websocket" // frames in binary messages, RFC 6455

	// The same within TLS 1.3; they need Config.TLS or Listener.TLS.
	TransportTLS             Transport = "tls"
	TransportSecureWebSocket Transport = "wss"
)

// ProxyProtocol says what a listener makes of PROXY headers, of version 1 and 2, from TrustedProxies.
// The address that such a header tells is Session.Addr, and what the limits of an address count.
type ProxyProtocol string

// The modes.
const (
	ProxyOff      ProxyProtocol = "off"      // there are none
	ProxyOptional ProxyProtocol = "optional" // a trusted peer may say one; of any other it is garbage
	ProxyRequired ProxyProtocol = "required" // only trusted peers may come, and each must say one
)

var knownTransports = []Transport{TransportTCP, TransportWebSocket, TransportTLS, TransportSecureWebSocket}

func isSecure(t Transport) bool { return t == TransportTLS || t == TransportSecureWebSocket }

// Listener is an address of a node, with what may come by it.
type Listener struct {
	// Addr is as Config.Listen. Port 0 takes a free one; Server.Addrs tells it. Or it is "unix:" and
	// the path of a unix socket, which New makes when the node starts, and removes when it stops. What
	// is at the path already stays, and is an error, unless it is a socket of the same user at which
	// nobody listens, as a killed node leaves it. Its folder must not be writable by everybody,
	// unless it is sticky, as /tmp is.
	Addr string
	// Mode is who may connect to a unix socket, as for a file that is written. Default 0660.
	Mode fs.FileMode
	// Users are the users that may connect to a unix socket, by number, whatever Mode lets: the
	// kernel tells who has connected, on Linux. Others are closed without a word, and Logger is
	// told. Default nil: whom Mode lets.
	Users []uint32
	// TrustPeers says that who connects to a unix socket is a balancer, which is believed as
	// TrustedProxies are.
	TrustPeers bool
	// Transports, TrustedProxies and ProxyProtocol are as in Config, which is what nil and "" mean.
	Transports     []Transport
	TrustedProxies []netip.Prefix
	ProxyProtocol  ProxyProtocol
	// TLS is as in Config, which is what nil means: other certificates, or other clients, than elsewhere.
	// With it Transports are TransportTLS alone, unless they or Config.Transports are given. Its tickets are good here
	// alone, and on other nodes at the listener that has TLS of its own in the same place among those that
	// do.
	TLS *tls.Config
}

// WebSocket says where a node's WebSockets are.
type WebSocket struct {
	// Path is where a client asks for one. Default "/". A plain GET / is answered with what this
	// port is, and GET /healthz with 200, or 503 while the node drains or stops.
	Path string
	// Origins are the pages that may open one from a browser, as "https://example.com"; "*" is any.
	// Default: those of the host that the request names. A request that has no Origin does not come
	// from a browser, and passes.
	Origins []string
}

// listeners are those of a Config with its defaults.
func (c *Config) listeners() []Listener {
	all := slices.Clone(c.Listeners)
	if len(all) == 0 {
		all = []Listener{{Addr: c.Listen}}
	}
	for i := range all {
		l := &all[i]
		if l.Transports == nil {
			l.Transports = c.Transports
		}
		if l.TrustedProxies == nil {
			l.TrustedProxies = c.TrustedProxies
		}
		def(&l.ProxyProtocol, c.ProxyProtocol)
		def(&l.TLS, c.TLS)
		if _, is := unixPath(l.Addr); is {
			def(&l.Mode, 0o660)
		}
	}
	return all
}

// isOrigin says whether a browser can send such an origin: a scheme and a host, which is all of it.
func isOrigin(text string) bool {
	scheme, host, _ := strings.Cut(text, "://")
	return scheme != "" && host != "" && !strings.ContainsAny(scheme, "*:/ ") && !strings.ContainsAny(host, "*/?#@ \t,")
}

// validateListeners is validate's part for them.
func (c *Config) validateListeners() error {
	if len(c.Listeners) > entry.MaxListeners {
		return fmt.Errorf("server: Listeners must be at most %d, not %d", entry.MaxListeners, len(c.Listeners))
	}
	if len(c.Listeners) > 0 && c.Listen != defaultListen && c.Listen != "" {
		return errors.New("server: Listen and Listeners exclude each other")
	}
	if c.WebSocket.Path == "/healthz" {
		return errors.New("server: WebSocket.Path: /healthz is taken, by health checks")
	}
	if !strings.HasPrefix(c.WebSocket.Path, "/") || strings.ContainsAny(c.WebSocket.Path, " ?#\r\n") {
		return fmt.Errorf("server: WebSocket.Path must begin with / and have neither blanks nor a query, not %q", c.WebSocket.Path)
	}
	for _, o := range c.WebSocket.Origins {
		if o != "*" && o != "null" && !isOrigin(o) {
			return fmt.Errorf("server: WebSocket.Origins: %q is no origin, as https://example.com is: scheme and host, with no path and no pattern", o)
		}
	}
	secure := false
	for _, l := range c.listeners() {
		if err := l.validateUnix(); err != nil {
			return err
		}
		if len(l.Transports) == 0 {
			return fmt.Errorf("server: the listener %s has no Transports", l.Addr)
		}
		for _, t := range l.Transports {
			if !slices.Contains(knownTransports, t) {
				return fmt.Errorf("server: Transports: %q is none of %v", t, knownTransports)
			}
			if isSecure(t) && l.TLS == nil {
				return fmt.Errorf("server: Transports: %q of the listener %s needs TLS", t, l.Addr)
			}
		}
		if slices.ContainsFunc(l.Transports, isSecure) {
			secure = secure || l.TLS == c.TLS
		} else if l.TLS != c.TLS {
			return fmt.Errorf("server: the listener %s has TLS, and its Transports do not", l.Addr)
		}
		switch l.ProxyProtocol {
		case ProxyOff:
		case ProxyOptional, ProxyRequired:
			if _, is := unixPath(l.Addr); is && !l.TrustPeers {
				return fmt.Errorf("server: ProxyProtocol of the listener %s needs TrustPeers: TrustedProxies are no unix socket's", l.Addr)
			} else if !is && len(l.TrustedProxies) == 0 {
				return fmt.Errorf("server: ProxyProtocol of the listener %s needs TrustedProxies", l.Addr)
			}
		default:
			return fmt.Errorf("server: ProxyProtocol must be off, optional or required, not %q", l.ProxyProtocol)
		}
	}
	if c.TLS != nil && !secure {
		return errors.New("server: TLS is set, and the Transports of no listener have it")
	}
	return nil
}

// validateUnix is validate's part for what unix sockets have and others have not.
func (l *Listener) validateUnix() error {
	path, is := unixPath(l.Addr)
	switch err := checkUnixPath(path); {
	case !is && (l.Mode != 0 || l.Users != nil || l.TrustPeers):
		return fmt.Errorf("server: Mode, Users and TrustPeers of the listener %s are for unix sockets", l.Addr)
	case !is:
	case err != nil:
		return fmt.Errorf("server: Listeners: %s %w", l.Addr, err)
	case l.Mode&^fs.ModePerm != 0:
		return fmt.Errorf("server: Mode of the listener %s must be at most 0777, not %#o", l.Addr, l.Mode)
	case l.Users != nil && !peersKnown:
		return fmt.Errorf("server: Users of the listener %s: this system does not tell who connects", l.Addr)
	}
	return nil
}

// rules are a listener's in the words of the stage.
func (l *Listener) rules() entry.Rules {
	r := entry.Rules{
		Plain:     slices.Contains(l.Transports, TransportTCP),
		WebSocket: slices.Contains(l.Transports, TransportWebSocket),

		TLSPlain:     slices.Contains(l.Transports, TransportTLS),
		TLSWebSocket: slices.Contains(l.Transports, TransportSecureWebSocket),
	}
	switch l.ProxyProtocol {
	case ProxyOptional:
		r.Proxy = entry.ProxyOptional
	case ProxyRequired:
		r.Proxy = entry.ProxyRequired
	}
	if _, is := unixPath(l.Addr); is {
		r.TrustPeers = l.TrustPeers
	} else if len(l.TrustedProxies) > 0 {
		r.Trusted = l.trusts
	}
	return r
}

func (l *Listener) trusts(addr netip.Addr) bool {
	return slices.ContainsFunc(l.TrustedProxies, func(p netip.Prefix) bool { return p.Contains(addr) })
}

// trustsAny says whether an address is a trusted proxy's for one of the listeners: of a row of
// proxies, any may stand before any.
func trustsAny(all []Listener, addr netip.Addr) bool {
	return slices.ContainsFunc(all, func(l Listener) bool { return l.trusts(addr) })
}

// entryConfig is what the stage of connections is made of; nil: all are plain.
func (s *Server) entryConfig() *entry.Config {
	all := s.cfg.listeners()
	c := &entry.Config{WebSocket: websocket.ServerConfig{
		Path: s.cfg.WebSocket.Path, Origins: s.cfg.WebSocket.Origins, Ready: s.takesClients,
		Trusted: func(addr netip.Addr) bool { return trustsAny(all, addr) },
	}}
	needed := false
	for i := range all {
		r := all[i].rules()
		c.Listeners = append(c.Listeners, r)
		needed = needed || isStaged(&r)
	}
	if !needed {
		return nil
	}
	return c
}

// isStaged says whether what comes by a listener is more than frames.
func isStaged(r *entry.Rules) bool {
	return r.WebSocket || r.TLSPlain || r.TLSWebSocket || !r.Plain || r.Proxy != entry.ProxyOff
}

// takesClients says whether the node lets clients in: it neither drains nor stops.
func (s *Server) takesClients() bool { return !s.node.Stopping.Load() && !s.node.Drain.On() }

// claimAll claims all TCP addresses, or none. In the place of a unix socket there is nil.
func claimAll(all []Listener) (claims []*addrClaim, err error) {
	for _, l := range all {
		if _, is := unixPath(l.Addr); is {
			claims = append(claims, nil)
			continue
		}
		claim, err := claimAddr(l.Addr)
		if err != nil {
			releaseAll(claims)
			return nil, err
		}
		claims = append(claims, claim)
	}
	return claims, nil
}

func releaseAll(claims []*addrClaim) {
	for _, c := range claims {
		c.release()
	}
}

// listenerOf is which of the claimed addresses a TCP connection came by: of those with its port the
// one with its address, or the one with none.
func listenerOf(claims []*addrClaim, local net.Addr) int {
	tcp, ok := local.(*net.TCPAddr)
	if !ok {
		return 0
	}
	for i, c := range claims {
		if c != nil && c.tcp.Port == tcp.Port && (c.tcp.IP.Equal(tcp.IP) || c.tcp.IP.IsUnspecified() && (tcp.IP == nil || tcp.IP.IsUnspecified())) {
			return i
		}
	}
	return 0
}
