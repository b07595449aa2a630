//go:build !nonats

package natsbus

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

// node is the NATS server within a node.
type node struct {
	cfg    Config
	server *server.Server
	log    *logger

	mu      sync.Mutex
	options *server.Options // what was last asked for; a copy goes to the server
	watched map[*watched]bool

	looked chan struct{} // closed when names have been looked up once
	found  sync.Once

	cancel context.CancelFunc
	wg     sync.WaitGroup
}

const (
	startTime = 5 * time.Second
	// With these a peer that says nothing is given up after 0.8 s: a ping each 250 ms, and the third that
	// finds two unanswered. nats-server's own would take 90 s.
	routePing     = 250 * time.Millisecond
	routePingsOut = 2
	// routeWrite is how long a peer may take nothing while something waits for it.
	routeWrite = 2 * time.Second
	// routePending bounds what waits for one peer, in bytes; beyond it the connection is closed.
	routePending = 32 << 20
	maxPayload   = 2 << 20
)

// embed starts the server and connects to it.
func (b *Bus) embed() error {
	n := &node{cfg: b.cfg, log: &logger{log: b.cfg.Logger, hint: make(chan struct{}, 1)}, watched: make(map[*watched]bool), looked: make(chan struct{})}
	password := rand.Text()
	if err := n.setOptions(password); err != nil {
		return err
	}
	var err error
	if n.server, err = server.NewServer(n.options.Clone()); err != nil {
		return fmt.Errorf("natsbus: %w", err)
	}
	n.server.SetLoggerV2(n.log, false, false, false)
	n.server.Start()
	if err := n.awaitStart(); err != nil {
		n.server.Shutdown()
		return fmt.Errorf("natsbus: cannot listen at %s: %w", b.cfg.Listen, err)
	}
	if err := b.connect("", nats.InProcessServer(n.server), nats.UserInfo(user, password), nats.ReconnectWait(50*time.Millisecond)); err != nil {
		n.server.Shutdown()
		return err
	}
	b.node = n
	ctx, cancel := context.WithCancel(context.Background())
	n.cancel = cancel
	n.wg.Go(func() { n.followRoutes(ctx) })
	n.wg.Go(func() { n.followNames(ctx) })
	return nil
}

// awaitStart waits until the server listens, or says why it does not.
func (n *node) awaitStart() error {
	for deadline := time.Now().Add(startTime); !n.server.ReadyForConnections(50 * time.Millisecond); {
		if err := n.log.failure(); err != nil {
			return err
		}
		if time.Now().After(deadline) {
			return errors.New("it did not begin in time")
		}
	}
	return nil
}

// user is who the Bus is to its own server.
const user = "stormwheel"

func (n *node) setOptions(password string) error {
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
		Host: "127.0.0.1", Port: server.RANDOM_PORT, CustomClientAuthentication: onlyClient(password),
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

// onlyClient is the password of the Bus, the server's only client.
type onlyClient string

// Check implements server.Authentication.
func (p onlyClient) Check(c server.ClientAuthentication) bool {
	o := c.GetOpts()
	return o.Username == user && subtle.ConstantTimeCompare([]byte(o.Password), []byte(p)) == 1
}

func (n *node) setRoutes(peers []string) {
	n.options.Routes = nil
	for _, p := range peers {
		n.options.Routes = append(n.options.Routes, &url.URL{Scheme: "nats-route", Host: p})
	}
}

// reload has the server go by n.options. With the lock held.
func (n *node) reload() {
	if err := n.server.ReloadOptions(n.options.Clone()); err != nil {
		n.cfg.Logger.Error("NATS: the new peers or secrets were not taken", "err", err)
	}
}

// RouteAddr is where other nodes connect; empty with Servers.
func (b *Bus) RouteAddr() string {
	if b.node == nil {
		return ""
	}
	return b.node.server.ClusterAddr().String()
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

// routes is how many nodes there are connections with.
func (n *node) routes() int { return n.server.NumRoutes() }

// peersNow are the names of the nodes with which there is a connection.
func (n *node) peersNow() (names []string) {
	all, err := n.server.Routez(nil)
	if err != nil {
		return nil
	}
	for _, r := range all.Routes {
		names = append(names, r.RemoteName)
	}
	return names
}

const (
	// lookTime is how often it is looked whether a route has gone, if nothing hints at it: the server tells nobody.
	lookTime = 500 * time.Millisecond
	// afterHint is how long after a hint it is looked again, so many times: the server says that a route is closed before it is.
	afterHint = 5 * time.Millisecond
	hintLooks = 4
)

// followRoutes tells who watches a node that there is no route to it any more.
func (n *node) followRoutes(ctx context.Context) {
	next := time.NewTimer(lookTime)
	defer next.Stop()
	for soon := 0; ; {
		select {
		case <-ctx.Done():
			return
		case <-n.log.hint:
			soon = hintLooks
		case <-next.C:
		}
		n.tellLost(n.peersNow())
		if soon > 0 {
			soon--
			next.Reset(afterHint)
		} else {
			next.Reset(lookTime)
		}
	}
}

func (n *node) tellLost(present []string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for w := range n.watched {
		if !slices.Contains(present, w.node) {
			delete(n.watched, w)
			go w.lost()
		}
	}
}

func (n *node) watch(name string, lost func()) (stop func()) {
	w := &watched{node: name, lost: lost}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.watched[w] = true
	return func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		delete(n.watched, w)
	}
}

func (n *node) close() {
	n.cancel()
	n.wg.Wait()
}

func (n *node) shutdown() {
	n.server.Shutdown()
	n.server.WaitForShutdown()
}
