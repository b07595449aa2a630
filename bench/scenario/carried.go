package scenario

import (
	"github.com/stormwheel/stormwheel/bench/foreign"
	"github.com/stormwheel/stormwheel/bench/result"
	"github.com/stormwheel/stormwheel/internal/transport/websocket"
)

// carry reads what clients come by, out of --transport and of the targets, which have neither scheme
// nor path from then on.
func (p *Plan) carry() error {
	addrs, path, are, err := websocket.ParseURLs(p.Targets)
	switch {
	case err != nil:
		return result.Usage("--target: %w", err)
	case are && p.Transport == "tcp":
		return result.Usage("--transport tcp, and --target %s is a WebSocket", p.Targets[0])
	case are:
		p.Transport = "ws"
	}
	fill(&p.Transport, "tcp")
	switch {
	case p.Transport == "ws" && p.Protocol != "" && p.Protocol != foreign.Own:
		return result.Usage("--transport ws is for --protocol stormwheel")
	case p.Transport != "tcp" && p.Transport != "ws":
		return result.Usage("--transport: %q is neither tcp nor ws", p.Transport)
	case p.ProxyProtocol != "" && p.ProxyProtocol != "v1" && p.ProxyProtocol != "v2":
		return result.Usage("--proxy-protocol: %q is neither v1 nor v2", p.ProxyProtocol)
	}
	p.Targets = addrs
	if p.Transport == "ws" {
		p.wsPath = path
		fill(&p.wsPath, "/")
	}
	return nil
}

// carriedBy are the flags of a spawned node that the clients' way needs.
func (c *Config) carriedBy() (args []string) {
	if c.Transport == "ws" {
		args = append(args, "--transports", "tcp,ws")
	}
	if c.ProxyProtocol != "" {
		args = append(args, "--proxy", "optional", "--trusted-proxies", "127.0.0.0/8")
	}
	return args
}
