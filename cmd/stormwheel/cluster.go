package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/stormwheel/stormwheel/cluster"
	"github.com/stormwheel/stormwheel/cluster/natsbus"
	"github.com/stormwheel/stormwheel/messaging"
	"github.com/stormwheel/stormwheel/server"
)

// clustered is this node in its cluster. Nil: it is alone.
type clustered struct {
	bus    *natsbus.Bus
	node   *cluster.Node
	static bool // where clients reach the node was said

	ownAlternates bool // --alternates was

	leave *departure // for good

	patience time.Duration // with others that are to be seen at the start
	wait     time.Duration // at most, for another node's drain
	log      *slog.Logger
}

// open starts the NATS within the node, or connects to another. The node is told to nobody before start.
func (f *clusterFlags) open(c *serveCmd, secrets *secrets, certs *certificates, log *slog.Logger) (*clustered, error) {
	if !f.on() {
		return nil, nil
	}
	cfg := natsbus.Config{Node: c.Node, Name: f.ClusterName, Logger: log, Credentials: f.ClusterCreds}
	if f.embedded() {
		cfg.Listen, cfg.Peers, cfg.Secrets = f.ClusterListen, f.ClusterPeers, secrets.cluster
	} else {
		cfg.Servers = f.Cluster
	}
	var err error
	if cfg.TLS, err = f.tls(certs); err != nil {
		return nil, err
	}
	bus, err := natsbus.New(cfg)
	if err != nil {
		return nil, fmt.Errorf("--cluster: %s", strings.TrimPrefix(err.Error(), "natsbus: "))
	}
	if len(cfg.Peers) > 0 {
		if err := alone(bus); err != nil {
			return nil, errors.Join(err, bus.Close())
		}
	}
	version := buildVersion()
	if cut := strings.IndexByte(version, ' '); cut > 0 {
		version = version[:cut]
	}
	node, err := cluster.New(cluster.Config{
		Node: c.Node, Bus: bus, Advertise: f.ClusterAdvertise, Version: version[:min(len(version), 64)],
		Replace: f.duplicates() == server.Replace, Stay: !f.ClusterRebalance, HomesAbove: f.ClusterHomesAbove,
		OwnAlternates: c.Alternates != nil, OwnRate: c.FailoverRate != 0, Logger: log,
	})
	if err != nil {
		return nil, errors.Join(usageError{err}, bus.Close())
	}
	secrets.bus = bus
	cl := &clustered{bus: bus, node: node, leave: newDeparture(), static: f.ClusterAdvertise != "", ownAlternates: c.Alternates != nil, wait: c.DrainGrace + c.DrainWindow, patience: meetTime, log: log}
	if !f.embedded() {
		cl.patience = strangersTime
	}
	return cl, nil
}

// tls is what the node shows others and asks of them; nil: what follows from the secret, or nothing.
func (f *clusterFlags) tls(certs *certificates) (*tls.Config, error) {
	if f.ClusterTLSCert == "" && f.ClusterTLSCA == "" {
		return nil, nil
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if f.ClusterTLSCert != "" {
		pair, err := certs.load(f.ClusterTLSCert, f.ClusterTLSKey)
		if err != nil {
			return nil, err
		}
		c.GetCertificate = pair.GetCertificate
		c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return pair.GetCertificate(nil) }
	}
	if f.ClusterTLSCA != "" {
		pem, err := os.ReadFile(f.ClusterTLSCA)
		if err != nil {
			return nil, err
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("--cluster-tls-ca: %s has no certificate", f.ClusterTLSCA)
		}
		c.RootCAs, c.ClientCAs = pool, pool
	}
	return c, nil
}

// carry has a hub carry messages between the nodes. It then tells the others of its sessions, and starts the node.
func (cl *clustered) carry(cfg *messaging.Config) {
	if cl != nil {
		cfg.Peers = cl.node
	}
}

// wrap returns the application's handler, with its sessions known to the others.
func (cl *clustered) wrap(app *application) server.Handler {
	if cl == nil || app.messages != nil {
		return app.handler()
	}
	return cl.node.Wrap(app.handler())
}

// start makes the node known to the others, before the server starts, where no hub does.
func (cl *clustered) start(srv *server.Server, app *application) error {
	if cl == nil || app.messages != nil {
		return nil
	}
	return cl.node.Start(srv, cluster.Handler{})
}

const (
	// meetTime bounds how long a node that has started waits for the others before it takes clients.
	meetTime = 10 * time.Second
	// strangersTime is how long it waits for any other, where nobody knows how many there are.
	strangersTime = time.Second
	// tellTime bounds how long it waits until clients are told of them, and tellPoll is how often it looks.
	tellTime, tellPoll = time.Second, 10 * time.Millisecond
)

// meet tells the others where clients reach the node, which listens, and waits until it has seen as many as it was told
// of, or its patience ends, or a signal comes, which it leaves for others.
func (cl *clustered) meet(srv *server.Server, signals chan os.Signal) error {
	if cl == nil {
		return nil
	}
	if !cl.static {
		if err := cl.node.Advertise(clientsAt(srv.Addrs())); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), cl.patience)
	defer cancel()
	met := make(chan struct{})
	go func() {
		defer close(met)
		cl.meetAll(ctx)
		cl.tellClients(ctx, srv)
	}()
	select {
	case <-met:
	case err := <-cl.bus.NameTaken():
		cancel()
		<-met
		return nameTaken(err)
	case sig := <-signals:
		signals <- sig
		cancel()
		<-met
	}
	return nil
}

// nameTaken says it as all that is wrong with the flags.
func nameTaken(err error) error {
	return fmt.Errorf("--node: %s", strings.TrimPrefix(err.Error(), "natsbus: "))
}

// twinTime is how long a node that has just started waits for one of the same name to show itself. Only then it is told to the
// others: they would take it for the other's successor.
const twinTime = 200 * time.Millisecond

// alone waits whether there is another node of the same name already.
func alone(bus *natsbus.Bus) error {
	select {
	case err := <-bus.NameTaken():
		return nameTaken(err)
	case <-time.After(twinTime):
		return nil
	}
}

// askTime is how often it is asked whom names stand for by now.
const askTime = time.Second

// meetAll waits until all others were seen, or ctx ends.
func (cl *clustered) meetAll(ctx context.Context) {
	strangers := cl.patience < meetTime
	for {
		others := cl.bus.Expected(ctx)
		if strangers {
			others = 1
		}
		some, cancel := context.WithTimeout(ctx, askTime)
		err := cl.node.Meet(some, others)
		cancel()
		switch {
		case err == nil || ctx.Err() != nil && strangers:
			cl.log.Info("cluster: ready", "live", cl.node.Live())
			return
		case ctx.Err() != nil:
			cl.log.Warn("cluster: not all peers were seen in time", "live", cl.node.Live(), "expected", others+1,
				"missing", cl.bus.Missing(context.WithoutCancel(ctx)))
			return
		}
	}
}

// tellClients waits, a moment at most, until clients are told of the others that live. One that came before hears of them
// with its next heartbeat, and would have nowhere to go if the node died until then.
func (cl *clustered) tellClients(ctx context.Context, srv *server.Server) {
	if cl.ownAlternates {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, tellTime)
	defer cancel()
	for len(srv.Tunable().Alternates) < len(cl.node.Live())-1 {
		select {
		case <-time.After(tellPoll):
		case <-ctx.Done(): // one that drains is told to nobody
			return
		}
	}
}

// clientsAt is the address of the first listener that is a host's, as it was bound.
func clientsAt(bound []string) string {
	for _, addr := range bound {
		if one, err := new(clusterFlags).advertised([]string{addr}); err == nil {
			return one
		}
	}
	return ""
}

// drain tells the others that this node hands its clients over. If another does so already, it waits until that has
// ended, as long as a drain takes, or another signal comes.
func (cl *clustered) drain(signals <-chan os.Signal) (stop bool) {
	if cl == nil {
		return false
	}
	cl.node.Drain(true)
	deadline, told := time.Now().Add(cl.wait), ""
	for {
		other := cl.node.Draining()
		if other == "" || time.Now().After(deadline) {
			return false
		}
		if other != told {
			told = other
			cl.log.Info("cluster: waiting until another node has handed its clients over", "peer", other, "at_most", cl.wait)
		}
		select {
		case <-signals:
			return true
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// failed is told if the node cannot go on in the cluster.
func (cl *clustered) failed() <-chan error {
	if cl == nil {
		return nil
	}
	return cl.node.Failed()
}

// close tells the others that the node is gone.
func (cl *clustered) close() error {
	if cl == nil {
		return nil
	}
	cl.node.Close()
	return cl.bus.Close()
}
