package scenario

import (
	"crypto/x509"
	"net"
	"os"

	"github.com/stormwheel/stormwheel/bench/foreign"
	"github.com/stormwheel/stormwheel/bench/result"
	"github.com/stormwheel/stormwheel/bench/swarm"
	"github.com/stormwheel/stormwheel/internal/transport"
)

// ways are those that --transport names.
var ways = map[string]transport.Way{
	"tcp": {},
	"tls": {TLS: true},
	"ws":  {Path: "/"},
	"wss": {TLS: true, Path: "/"},
}

// nameOf is what --transport calls a way.
func nameOf(w transport.Way) string {
	if w.Path != "" {
		w.Path = "/"
	}
	for name, way := range ways {
		if way == w {
			return name
		}
	}
	return ""
}

// carry reads what clients come by, out of --transport and of the targets, which have neither scheme
// nor path from then on.
func (p *Plan) carry() error {
	addrs, way, err := transport.ParseWays(p.Targets)
	named := nameOf(way)
	switch {
	case err != nil:
		return result.Usage("--target: %w", err)
	case way != transport.Way{} && p.Transport != "" && p.Transport != named:
		return result.Usage("--transport %s, and --target %s is of %s", p.Transport, p.Targets[0], named)
	case way != transport.Way{}:
		p.Transport = named
	}
	fill(&p.Transport, "tcp")
	known, is := ways[p.Transport]
	if way == (transport.Way{}) {
		way = known
	}
	switch {
	case !is:
		return result.Usage("--transport: %q is neither tcp, tls, ws nor wss", p.Transport)
	case p.Transport != "tcp" && p.Protocol != "" && p.Protocol != foreign.Own:
		return result.Usage("--transport %s is for --protocol stormwheel", p.Transport)
	case !way.TLS && (p.Insecure || p.TLSCA != "" || p.TLSResume):
		return result.Usage("--insecure, --tls-ca and --tls-resume are for --transport tls and wss")
	case p.ProxyProtocol != "" && p.ProxyProtocol != "v1" && p.ProxyProtocol != "v2":
		return result.Usage("--proxy-protocol: %q is neither v1 nor v2", p.ProxyProtocol)
	}
	p.Targets, p.way = addrs, way
	if way.TLS {
		return p.carrySecurely()
	}
	return nil
}

// carrySecurely reads how far certificates are believed.
func (p *Plan) carrySecurely() error {
	p.secure = &swarm.TLS{Insecure: p.Insecure || p.Spawn > 0, Resume: p.TLSResume}
	if err := p.secure.Check(); err != nil {
		return result.Usage("--transport %s: %w", p.Transport, err)
	}
	if len(p.Targets) > 0 {
		if host, _, err := net.SplitHostPort(p.Targets[0]); err == nil {
			p.secure.ServerName = host
		}
	}
	if p.TLSCA == "" {
		return nil
	}
	pem, err := os.ReadFile(p.TLSCA)
	if err != nil {
		return result.Usage("--tls-ca: %w", err)
	}
	if !x509.NewCertPool().AppendCertsFromPEM(pem) {
		return result.Usage("--tls-ca: %s has no certificate", p.TLSCA)
	}
	p.secure.CA = pem
	return nil
}

// carriedBy are the flags of a spawned node that the clients' way needs.
func (c *Config) carriedBy() (args []string) {
	switch c.Transport {
	case "ws":
		args = append(args, "--transports", "tcp,ws")
	case "tls", "wss":
		args = append(args, "--transports", "tcp,tls,wss", "--tls-self-signed")
	}
	if c.ProxyProtocol != "" {
		args = append(args, "--proxy", "optional", "--trusted-proxies", "127.0.0.0/8")
	}
	return args
}
