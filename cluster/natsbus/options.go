//go:build !nonats

package natsbus

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

const (
	// With these the connection with a peer that does not answer is closed after 2 to 4 s. It is noticed sooner,
	// see beats.go; but a connection that was cut off must not be there when the way is whole again: what it has sent
	// waits for as long as it was cut off.
	routePing     = 2 * time.Second
	routePingsOut = 1
	// routeWrite is how long a peer may take nothing while something waits for it.
	routeWrite = 2 * time.Second
	// routePending bounds what waits for one peer, in bytes; beyond it the connection is closed.
	routePending = 32 << 20
	maxPayload   = 2 << 20
)

func (n *node) setOptions(token string) error {
	host, port, err := net.SplitHostPort(n.cfg.Listen)
	if err != nil {
		return fmt.Errorf("natsbus: Listen: %w", err)
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		return fmt.Errorf("natsbus: Listen: %q is no port", port)
	}
	if number == 0 {
		number = server.RANDOM_PORT
	}
	o := &server.Options{
		ServerName: n.cfg.Node,
		// Its routes never start with DontListen: the listener for clients is on loopback, at any port.
		Host: "127.0.0.1", Port: server.RANDOM_PORT, CustomClientAuthentication: onlyClient(token),
		NoSigs: true, NoSystemAccount: true,
		MaxPayload: maxPayload, MaxPending: routePending, WriteDeadline: routeWrite,
		// One connection a peer, so that order holds over subjects.
		Cluster: server.ClusterOpts{Name: n.cfg.Name, Host: host, Port: number, PoolSize: -1, ConnectBackoff: false,
			PingInterval: routePing, MaxPingsOut: routePingsOut, WriteDeadline: routeWrite,
			Compression: server.CompressionOpts{Mode: server.CompressionOff}},
	}
	if ip, bad := netip.ParseAddr(host); number > 0 && bad == nil && !ip.IsUnspecified() {
		o.Cluster.Advertise = n.cfg.Listen // others tell each other this, not where it connected from
	}
	if o.Cluster.TLSConfig, err = n.routeTLS(n.cfg.Secrets); err != nil {
		return fmt.Errorf("natsbus: %w", err)
	}
	n.options = o
	n.setRoutes(n.fixedPeers())
	return nil
}

// onlyClient is the token of the Bus, the server's only client. It is not a user's password: a server that is told of other
// routes would close the connections of users that are not on its list.
type onlyClient string

// Check implements server.Authentication.
func (t onlyClient) Check(c server.ClientAuthentication) bool {
	c.RegisterUser(&server.User{Permissions: &server.Permissions{Subscribe: &server.SubjectPermission{Deny: []string{subjectBeat}}}})
	return subtle.ConstantTimeCompare([]byte(c.GetOpts().Token), []byte(t)) == 1
}

func (n *node) setRoutes(peers []string) {
	n.options.Routes = nil
	for _, p := range peers {
		n.options.Routes = append(n.options.Routes, &url.URL{Scheme: "nats-route", Host: p})
	}
}

// reload has the server go by n.options. With the lock held.
func (n *node) reload() {
	if err := n.server.Load().ReloadOptions(n.options.Clone()); err != nil {
		n.cfg.Logger.Error("NATS: the new peers or secrets were not taken", "err", err)
	}
}

// SetSecrets changes Config.Secrets. Connections that there are stay; those that begin need one of these.
func (b *Bus) SetSecrets(secrets [][]byte) error {
	if b.node == nil || b.cfg.TLS != nil {
		return nil
	}
	if len(secrets) == 0 {
		return errors.New("natsbus: there must be a secret")
	}
	n := b.node
	secure, err := secretTLS(secrets)
	if err != nil {
		return fmt.Errorf("natsbus: %w", err)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.options.Cluster.TLSConfig = secure
	n.reload()
	return nil
}
