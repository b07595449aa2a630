package main

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"

	"github.com/stormwheel/stormwheel/cluster/natsbus"
	"github.com/stormwheel/stormwheel/server"
)

// clusterFlags say of which cluster the node is, and by what it reaches the others.
type clusterFlags struct {
	Cluster           string   `placeholder:"nats://embedded|nats://HOST:PORT" help:"Be a node of a cluster (docs/CLUSTER.md), by the NATS within each node, or by one that is there, as nats:// or tls://, several with commas between. It needs --node. Default: the node is alone."`
	ClusterListen     string   `default:"127.0.0.1:6222" placeholder:"HOST:PORT" help:"With nats://embedded: where other nodes connect. Beyond loopback it needs --cluster-secret-file or --cluster-tls-cert. Default ${default}."`
	ClusterPeers      []string `placeholder:"HOST:PORT|dns:NAME:PORT" help:"With nats://embedded: all nodes, this one may be among them; dns: all addresses of a name, looked up every 5 s. Default: others come to this one."`
	ClusterName       string   `default:"stormwheel" placeholder:"NAME" help:"Nodes of other clusters are not let in, or not heard. Default ${default}."`
	ClusterAdvertise  string   `placeholder:"HOST:PORT" help:"Where clients reach this node, as others tell theirs. Default: --listen, if that says so."`
	ClusterTLSCert    string   `name:"cluster-tls-cert" type:"path" placeholder:"FILE" help:"Certificate that the node shows others, or --cluster, in place of the secret, PEM; read again as --tls-cert is. Default: one made of the secret."`
	ClusterTLSKey     string   `name:"cluster-tls-key" type:"path" placeholder:"FILE" help:"Its key, PEM."`
	ClusterTLSCA      string   `name:"cluster-tls-ca" type:"path" placeholder:"FILE" help:"Authorities of the others' certificates, PEM."`
	ClusterCreds      string   `type:"path" placeholder:"FILE" help:"Credentials at the NATS that is there. Default: what --cluster says."`
	ClusterRebalance  bool     `default:"true" negatable:"" help:"When a node has joined, hand it clients until all have as many, none of them offline meanwhile. On by default."`
	ClusterHomesAbove int      `default:"16" placeholder:"NODES" help:"With more live nodes than that a login is told to two nodes, its homes, and not to all (docs/CLUSTER.md); the same on all nodes. Negative: to all, always. Default ${default}."`
	Duplicates        string   `placeholder:"stand-beside|replace|refuse" help:"What becomes of a login under a client id that has a session: replace ends that one, on all nodes; the others hold on each node by itself. Default stand-beside, with --cluster replace."`
}

// embeddedHost is the host that stands for the NATS within each node.
const embeddedHost = "embedded"

func (f *clusterFlags) on() bool { return f.Cluster != "" }

func (f *clusterFlags) embedded() bool { return f.Cluster == "nats://"+embeddedHost }

// duplicates is what --duplicates says.
func (f *clusterFlags) duplicates() server.Duplicates {
	switch f.Duplicates {
	case "replace":
		return server.Replace
	case "refuse":
		return server.Refuse
	case "":
		if f.on() {
			return server.Replace
		}
	}
	return server.StandBeside
}

// check returns the first reason why they make no sense, or are not safe.
func (f *clusterFlags) check(c *serveCmd) error {
	switch f.Duplicates {
	case "", "stand-beside", "replace", "refuse":
	default:
		return fmt.Errorf("--duplicates must be stand-beside, replace or refuse, not %q", f.Duplicates)
	}
	if !f.on() {
		return f.checkAlone()
	}
	if err := f.checkServers(); err != nil {
		return err
	}
	switch {
	case c.Node == "":
		return errors.New("--cluster needs --node, a name that no other node has")
	case !natsbus.ValidName(f.ClusterName):
		return fmt.Errorf("--cluster-name must have 1 to 64 letters, digits, - and _, unlike %q", f.ClusterName)
	case f.ClusterHomesAbove == 0:
		return errors.New("--cluster-homes-above must be a number of nodes, or negative: logins are told to all then")
	case (f.ClusterTLSCert == "") != (f.ClusterTLSKey == ""):
		return errors.New("--cluster-tls-cert and --cluster-tls-key go together")
	}
	if f.ClusterAdvertise != "" {
		if err := dialable("--cluster-advertise", []string{f.ClusterAdvertise}); err != nil {
			return err
		}
	} else if _, err := f.advertised(c.Listen); err != nil {
		return err
	}
	if f.embedded() {
		return f.checkEmbedded(c)
	}
	return nil
}

// checkName holds a node's name to the rule of clusters, if it is of one.
func (f *clusterFlags) checkName(node string) error {
	if f.on() && node != "" && !natsbus.ValidName(node) {
		return fmt.Errorf("--node: in a cluster a name has 1 to 64 letters, digits, - and _, unlike %q", node)
	}
	return nil
}

// checkAlone is for a node without --cluster.
func (f *clusterFlags) checkAlone() error {
	for flag, set := range map[string]bool{"--cluster-peers": f.ClusterPeers != nil, "--cluster-advertise": f.ClusterAdvertise != "",
		"--cluster-tls-cert": f.ClusterTLSCert != "", "--cluster-tls-key": f.ClusterTLSKey != "", "--cluster-tls-ca": f.ClusterTLSCA != "",
		"--cluster-creds": f.ClusterCreds != ""} {
		if set {
			return fmt.Errorf("%s needs --cluster", flag)
		}
	}
	return nil
}

func (f *clusterFlags) checkServers() error {
	for _, text := range strings.Split(f.Cluster, ",") {
		u, err := url.Parse(text)
		if err != nil || u.Scheme != "nats" && u.Scheme != "tls" || u.Hostname() == "" || u.Hostname() == embeddedHost && text != f.Cluster {
			return fmt.Errorf("--cluster must be nats://embedded, or nats://HOST:PORT or tls://HOST:PORT of a NATS, not %q", f.Cluster)
		}
	}
	if !f.embedded() && (f.ClusterPeers != nil) {
		return errors.New("--cluster-peers is for --cluster nats://embedded: nodes find each other by the NATS that is there")
	}
	return nil
}

func (f *clusterFlags) checkEmbedded(c *serveCmd) error {
	if f.ClusterCreds != "" {
		return errors.New("--cluster-creds is for a NATS that is there")
	}
	if err := bindable("--cluster-listen", f.ClusterListen); err != nil {
		return err
	}
	mutual := f.ClusterTLSCert != "" && f.ClusterTLSCA != ""
	if f.ClusterTLSCert != "" && !mutual || f.ClusterTLSCA != "" && !mutual {
		return errors.New("--cluster-tls-cert, --cluster-tls-key and --cluster-tls-ca go together: nodes show each other certificates")
	}
	if host, _, _ := net.SplitHostPort(f.ClusterListen); !onLoopback(host) && c.ClusterSecretFile == "" && !mutual {
		return fmt.Errorf("--cluster-listen %s is beyond loopback, where anybody could join: it needs --cluster-secret-file, or --cluster-tls-cert, --cluster-tls-key and --cluster-tls-ca", f.ClusterListen)
	}
	for _, p := range f.ClusterPeers {
		if err := dialable("--cluster-peers", []string{strings.TrimPrefix(p, "dns:")}); err != nil {
			return err
		}
	}
	return nil
}

func onLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// advertised is where clients reach a node that listens so: its first address that is a host's. Port 0 is known when it listens.
func (f *clusterFlags) advertised(listen []string) (string, error) {
	for _, text := range listen {
		l, _, err := listenerOf(text)
		if err != nil || isUnix(l.Addr) {
			continue
		}
		host, _, err := net.SplitHostPort(l.Addr)
		if ip, bad := netip.ParseAddr(host); err == nil && host != "" && !(bad == nil && ip.IsUnspecified()) {
			return l.Addr, nil
		}
	}
	return "", errors.New("--listen does not say where clients reach this node: --cluster needs --cluster-advertise, too")
}
