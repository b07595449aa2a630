package main

import (
	"fmt"
	"io/fs"
	"net/netip"
	"os/user"
	"reflect"
	"strconv"
	"strings"

	"github.com/stormwheel/stormwheel/server"
)

// transportFlags are the flags that say by what clients come; --listen may say otherwise for its
// address.
type transportFlags struct {
	Listen         []string `default:"127.0.0.1:7000" sep:"none" placeholder:"ADDR[,...]" help:"Address for clients, HOST:PORT; port 0 takes a free one; or a unix socket, unix:PATH, which may say its mode (0660 if it does not), which users may connect, and that they are balancers, as in unix:/run/edge.sock,mode=0600,users=nginx+1000,trusted=unix. Repeatable; each may say what its own --transports, --trusted-proxies, --proxy, --tls-cert, --tls-key and --tls-client-ca are, as in 0.0.0.0:7000,transports=tcp+ws,proxy=required,trusted=10.0.0.0/8 or 0.0.0.0:7443,tls-cert=cert.pem,tls-key=key.pem. Default ${default}."`
	Transports     []string `placeholder:"tcp" help:"What clients come by: tcp, ws, and within TLS tls, wss; the first byte tells. Default tcp, with --tls-cert tls."`
	WSPath         string   `name:"ws-path" default:"/" placeholder:"PATH" help:"Where WebSockets are. Default ${default}."`
	WSOrigins      []string `name:"ws-origins" placeholder:"ORIGIN" help:"Pages that may open a WebSocket, as https://example.com; * is any. Default: those of the host that is asked."`
	TrustedProxies []string `placeholder:"CIDR" help:"Balancers that are believed when they tell for whom they connect. Default: none."`
	Proxy          string   `default:"off" placeholder:"off|optional|required" help:"PROXY headers of the trusted: off, optional or required. Default ${default}."`
}

// fill sets what they say in a configuration. The certificates of listeners are among those that are read
// again.
func (f *transportFlags) fill(cfg *server.Config, files *certificates) (err error) {
	if cfg.Transports, err = transportsOf("--transports", f.Transports); err != nil {
		return err
	}
	if cfg.TrustedProxies, err = networksOf("--trusted-proxies", f.TrustedProxies); err != nil {
		return err
	}
	cfg.ProxyProtocol = server.ProxyProtocol(f.Proxy)
	cfg.WebSocket = server.WebSocket{Path: f.WSPath, Origins: f.WSOrigins}
	for _, text := range f.Listen {
		l, secure, err := listenerOf(text)
		if err == nil && len(secure.cert) > 0 {
			l.TLS, err = secure.config(files)
		}
		if err != nil {
			return err
		}
		cfg.Listeners = append(cfg.Listeners, l)
	}
	if l := cfg.Listeners; len(l) == 1 && reflect.DeepEqual(l[0], server.Listener{Addr: l[0].Addr}) {
		cfg.Listen, cfg.Listeners = l[0].Addr, nil
	}
	return nil
}

// listenerOf reads a value of --listen, but for the files of its TLS.
func listenerOf(text string) (l server.Listener, secure tlsFiles, err error) {
	words := strings.Split(text, ",")
	l.Addr, secure.flag = words[0], "--listen: "
	if isUnix(l.Addr) {
		err = oneWord("--listen", l.Addr)
	} else {
		err = bindable("--listen", l.Addr)
	}
	if err != nil {
		return l, secure, err
	}
	for _, word := range words[1:] {
		name, value, _ := strings.Cut(word, "=")
		values := strings.Split(value, "+")
		switch name {
		case "transports":
			l.Transports, err = transportsOf("--listen: transports", values)
		case "trusted":
			if l.TrustPeers = value == "unix"; !l.TrustPeers {
				l.TrustedProxies, err = networksOf("--listen: trusted", values)
			}
		case "mode":
			l.Mode, err = modeOf(value)
		case "users":
			l.Users, err = usersOf(values)
		case "proxy":
			l.ProxyProtocol = server.ProxyProtocol(value)
		case "tls-cert":
			secure.cert = append(secure.cert, value)
		case "tls-key":
			secure.key = append(secure.key, value)
		case "tls-client-ca":
			secure.clientCA = value
		default:
			err = fmt.Errorf("--listen: %q is none of transports=, proxy=, trusted=, mode=, users=, tls-cert=, tls-key= and tls-client-ca=", word)
		}
		if err != nil {
			return l, secure, err
		}
	}
	return l, secure, secure.check()
}

// modeOf reads the mode of a socket, in octal.
func modeOf(text string) (fs.FileMode, error) {
	n, err := strconv.ParseUint(text, 8, 32)
	if err != nil || n == 0 || n > 0o777 {
		return 0, fmt.Errorf("--listen: mode=%s is no mode, as 0660 is", text)
	}
	return fs.FileMode(n), nil
}

// usersOf reads users, by name or number.
func usersOf(words []string) (all []uint32, err error) {
	for _, word := range words {
		id := word
		if u, err := user.Lookup(word); err == nil {
			id = u.Uid
		}
		n, err := strconv.ParseUint(id, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("--listen: users: there is no user %q", word)
		}
		all = append(all, uint32(n))
	}
	return all, nil
}

func transportsOf(flag string, words []string) (all []server.Transport, err error) {
	for _, word := range words {
		switch word {
		case "tcp":
			all = append(all, server.TransportTCP)
		case "ws", "websocket":
			all = append(all, server.TransportWebSocket)
		case "tls":
			all = append(all, server.TransportTLS)
		case "wss":
			all = append(all, server.TransportSecureWebSocket)
		default:
			return nil, fmt.Errorf("%s: %q is none of tcp, tls, ws, wss", flag, word)
		}
	}
	return all, nil
}

// networksOf reads networks; an address is one of its own.
func networksOf(flag string, words []string) (all []netip.Prefix, err error) {
	for _, word := range words {
		p, err := netip.ParsePrefix(word)
		if err != nil {
			a, bad := netip.ParseAddr(word)
			if bad != nil {
				return nil, fmt.Errorf("%s: %q is no network, as 10.0.0.0/8 is", flag, word)
			}
			p = netip.PrefixFrom(a, a.BitLen())
		}
		all = append(all, p.Masked())
	}
	return all, nil
}
