package natsbus

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"strings"
)

// Config says by what a node reaches the others. The zero value of a field means its default.
type Config struct {
	// Node is the node's name, different from all others' of the cluster: one to 64 letters, digits, "-" or "_".
	Node string
	// Name is the cluster's: nodes of others are not let in. It is built as Node is. Default "stormwheel".
	Name string

	// Servers are those of an existing NATS, as nats.go takes them: "nats://host:4222" or "tls://host:4222",
	// several with commas between them. Default: none; the node has a server of its own.
	Servers string
	// Credentials is the file with the node's credentials at Servers. Default: none, or what their URLs say.
	Credentials string

	// Listen is the address at which other nodes connect, "host:port"; port 0 takes a free one. Default
	// "127.0.0.1:6222". Beyond loopback it needs Secrets or TLS.
	Listen string
	// Peers are the addresses of all nodes, this one included or not, as "host:port"; or "dns:name:port":
	// all addresses of that name, which is looked up every 5 s. Nodes also tell each other whom they know, but who lists them all
	// makes sure that no two islands form. Default: none; others come to this one.
	Peers []string
	// Secrets let nodes in that have one of them; the first is shown to others. Connections between nodes are
	// then encrypted. Default: none.
	Secrets [][]byte
	// TLS has nodes show each other certificates, in place of Secrets; for connections to Servers it is the client's side.
	// It is copied. Default: none.
	TLS *tls.Config

	// MaxQueued bounds the bytes that wait to leave, and likewise of those that came and are not handled.
	// Default 32 MiB.
	MaxQueued int
	// Logger is told what operators need to know. Default: nobody.
	Logger *slog.Logger
}

const (
	defaultName   = "stormwheel"
	defaultListen = "127.0.0.1:6222"
	dnsPrefix     = "dns:"
	maxName       = 64
)

func (c Config) withDefaults() Config {
	if c.Name == "" {
		c.Name = defaultName
	}
	if c.Listen == "" {
		c.Listen = defaultListen
	}
	if c.MaxQueued <= 0 {
		c.MaxQueued = 32 << 20
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	return c
}

// ValidName tells whether a node, or a cluster, may be called so.
func ValidName(s string) bool {
	return s != "" && len(s) <= maxName && !strings.ContainsFunc(s, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_')
	})
}

// Validate returns one sentence that names the first field that makes no sense.
func (c Config) Validate() error {
	c = c.withDefaults()
	if !ValidName(c.Node) {
		return fmt.Errorf("natsbus: Node must be 1 to %d letters, digits, \"-\" or \"_\", not %.100q", maxName, c.Node)
	}
	if !ValidName(c.Name) {
		return fmt.Errorf("natsbus: Name must be 1 to %d letters, digits, \"-\" or \"_\", not %.100q", maxName, c.Name)
	}
	if c.Servers != "" {
		return nil
	}
	if c.Credentials != "" {
		return errors.New("natsbus: Credentials need Servers")
	}
	host, _, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return fmt.Errorf("natsbus: Listen %q is not host:port", c.Listen)
	}
	if !isLoopback(host) && len(c.Secrets) == 0 && c.TLS == nil {
		return fmt.Errorf("natsbus: Listen %s is beyond loopback, where anybody could join: it needs Secrets or TLS", c.Listen)
	}
	for _, p := range c.Peers {
		if host, port, err := net.SplitHostPort(strings.TrimPrefix(p, dnsPrefix)); err != nil || host == "" || port == "" {
			return fmt.Errorf("natsbus: Peers: %q is not host:port or dns:name:port", p)
		}
	}
	return nil
}

func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}
