package websocket

import (
	"encoding/base64"
	"net/netip"
	"strings"
)

// Protocol is the subprotocol's name.
const Protocol = "stormwheel.1"

// request is what of a request decides about it.
type request struct {
	method, target string
	minor          byte // of the HTTP version 1.x

	hosts, keys, versions, origins, lengths int // how many of these fields there were

	host, key, version, origin string
	upgrade, connection        bool // the fields have the word that they must
	offers, offered            bool // it names subprotocols; ours is one of them
	body                       bool
	forwarded                  string // X-Forwarded-For
}

// parseRequest reads a request's head.
func parseRequest(head string) (r request, ok bool) {
	line, fields, _ := strings.Cut(head, "\r\n")
	method, rest, _ := strings.Cut(line, " ")
	target, version, _ := strings.Cut(rest, " ")
	if !isToken(method) || target == "" || strings.ContainsFunc(target, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
		return r, false
	}
	switch version {
	case "HTTP/1.1":
		r.minor = '1'
	case "HTTP/1.0":
		r.minor = '0'
	default:
		return r, false
	}
	r.method, r.target = method, target
	if !eachField(fields, r.field) || r.hosts > 1 || r.hosts == 0 && r.minor == '1' {
		return r, false
	}
	return r, r.keys <= 1 && r.versions <= 1 && r.origins <= 1 && r.lengths <= 1
}

func (r *request) field(name, value string) bool {
	switch name {
	case "host":
		r.host = value
		r.hosts++
	case "upgrade":
		r.upgrade = r.upgrade || hasToken(value, "websocket")
	case "connection":
		r.connection = r.connection || hasToken(value, "upgrade")
	case "sec-websocket-key":
		r.key = value
		r.keys++
	case "sec-websocket-version":
		r.version = value
		r.versions++
	case "origin":
		r.origin = value
		r.origins++
	case "sec-websocket-protocol":
		r.offers = true
		r.offered = r.offered || hasToken(value, Protocol)
	case "content-length":
		r.body = r.body || value != "0"
		r.lengths++
	case "transfer-encoding":
		r.body = true
	case "x-forwarded-for":
		r.forwarded += "," + value
	}
	return true
}

// path is the target without its query.
func (r *request) path() string {
	path, _, _ := strings.Cut(r.target, "?")
	return path
}

// wantsUpgrade says whether it asks for a WebSocket at all.
func (r *request) wantsUpgrade() bool { return r.upgrade || r.keys+r.versions > 0 }

// goodKey says whether the key is 16 bytes in base64.
func (r *request) goodKey() bool {
	b, err := base64.StdEncoding.DecodeString(r.key)
	return err == nil && len(b) == 16
}

// fromPage says whether the origin is one of the allowed; without any, the host that the request
// is for. A request without an origin comes from no browser.
func (r *request) fromPage(allowed []string) bool {
	if r.origins == 0 {
		return true
	}
	if len(allowed) == 0 {
		_, host, found := strings.Cut(r.origin, "://")
		return found && strings.EqualFold(host, r.host)
	}
	for _, a := range allowed {
		if a == "*" || strings.EqualFold(a, r.origin) {
			return true
		}
	}
	return false
}

// client is where the client is, as a row of trusted proxies tells it: the last address that is not
// one of theirs. The zero Addr: nothing is told.
func (r *request) client(trusted func(netip.Addr) bool) (addr netip.Addr) {
	all := strings.Split(r.forwarded, ",")
	for i := len(all) - 1; i >= 0; i-- {
		text := strings.Trim(all[i], " \t")
		if text == "" {
			continue
		}
		if at, err := netip.ParseAddrPort(text); err == nil {
			addr = at.Addr()
		} else if addr, err = netip.ParseAddr(strings.Trim(text, "[]")); err != nil {
			return netip.Addr{}
		}
		if addr = addr.Unmap().WithZone(""); !trusted(addr) {
			return addr
		}
	}
	return addr
}
