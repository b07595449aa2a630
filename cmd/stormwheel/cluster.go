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
	"github.com/stormwheel/stormwheel/server"
)

// clustered is this node in its cluster. Nil: it is alone.
type clustered struct {
	bus    *natsbus.Bus
	node   *cluster.Node
	static bool // where clients reach the node was said
	wait   time.Duration
	log    *slog.Logger
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
	version := buildVersion()
	if cut := strings.IndexByte(version, ' '); cut > 0 {
		version = version[:cut]
	}
	node, err := cluster.New(cluster.Config{
		Node: c.Node, Bus: bus, Advertise: f.ClusterAdvertise, Version: version[:min(len(version), 64)],
		Replace: f.duplicates() == server.Replace, Stay: !f.ClusterRebalance,
		OwnAlternates: c.Alternates != nil, OwnRate: c.FailoverRate != 0, Logger: log,
	})
	if err != nil {
		return nil, errors.Join(usageError{err}, bus.Close())
	}
	secrets.bus = bus
	return &clustered{bus: bus, node: node, static: f.ClusterAdvertise != "", wait: c.DrainGrace + c.DrainWindow, log: log}, nil
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

// wrap has the sessions of h known to the others.
func (cl *clustered) wrap(h server.Handler) server.Handler {
	if cl == nil {
		return h
	}
	return cl.node.Wrap(h)
}

// start makes the node known to the others, before the server starts.
func (cl *clustered) start(srv *server.Server) error {
	if cl == nil {
		return nil
	}
	return cl.node.Start(srv, cluster.Handler{})
}

// meetTime bounds how long a node that has started waits for the others before it takes clients.
const meetTime = 10 * time.Second

// meet tells the others where clients reach the node, which listens, and waits until it has seen as many as it was told
// of, or meetTime has passed, or a signal comes, which it leaves for others.
func (cl *clustered) meet(srv *server.Server, signals chan os.Signal) error {
	if cl == nil {
		return nil
	}
	if !cl.static {
		if err := cl.node.Advertise(clientsAt(srv.Addrs())); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), meetTime)
	defer cancel()
	others := cl.bus.Expected()
	met := make(chan error, 1)
	go func() { met <- cl.node.Meet(ctx, others) }()
	select {
	case err := <-met:
		if err != nil {
			cl.log.Warn("cluster: not all peers were seen in time", "seen", len(cl.node.Live())-1, "expected", others)
		} else {
			cl.log.Info("cluster: peers were seen", "live", cl.node.Live())
		}
	case sig := <-signals:
		signals <- sig
	}
	return nil
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
