//go:build !nonats

package natsbus

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"time"
)

// routeTLS is that of connections between nodes; nil: they are plain.
func (n *node) routeTLS(secrets [][]byte) (*tls.Config, error) {
	switch {
	case n.cfg.TLS != nil:
		c := n.cfg.TLS.Clone()
		c.ClientAuth = tls.RequireAndVerifyClientCert
		c.MinVersion = max(c.MinVersion, tls.VersionTLS13)
		if name := n.dnsName(); c.ServerName == "" && name != "" {
			c.ServerName = name // its addresses have no names of their own
		}
		return c, nil
	case len(secrets) > 0:
		return secretTLS(secrets)
	}
	return nil, nil
}

// dnsName is the first name that is looked up, if there is one.
func (n *node) dnsName() string {
	for _, p := range n.cfg.Peers {
		if p, ok := strings.CutPrefix(p, dnsPrefix); ok {
			host, _, _ := net.SplitHostPort(p)
			return host
		}
	}
	return ""
}

// fixedPeers are those that are not to be looked up here; the server looks up their names when it connects.
func (n *node) fixedPeers() []string {
	return slices.DeleteFunc(slices.Clone(n.cfg.Peers), func(p string) bool { return strings.HasPrefix(p, dnsPrefix) })
}

// keptTime is how long an address is tried that a name has no more: answers may be short of some.
const keptTime = time.Minute

// answerTime is how long the resolver may take.
const answerTime = 5 * time.Second

// What tests change.
var (
	lookupTime = 5 * time.Second                // how often names are looked up
	lookupHost = net.DefaultResolver.LookupHost // the system's resolver
)

// followNames has the server connect to all addresses that names have.
func (n *node) followNames(ctx context.Context) {
	if n.dnsName() == "" {
		close(n.looked)
		return
	}
	seen := make(map[string]time.Time) // when a name last had an address
	var told []string
	for ctx.Err() == nil {
		n.lookUp(ctx, seen)
		if peers := addressesOf(seen, time.Now()); !slices.Equal(peers, told) {
			told = peers
			n.mu.Lock()
			n.setRoutes(append(n.fixedPeers(), peers...))
			n.reload()
			n.mu.Unlock()
			n.cfg.Logger.Info("cluster: peers by DNS", "addresses", peers)
		}
		n.first.Do(func() { close(n.looked) })
		select {
		case <-ctx.Done():
		case <-time.After(lookupTime):
		}
	}
}

// lookUp notes the addresses that names have now, and which names never had one.
func (n *node) lookUp(ctx context.Context, seen map[string]time.Time) {
	for _, p := range n.cfg.Peers {
		name, isName := strings.CutPrefix(p, dnsPrefix)
		if !isName {
			continue
		}
		host, port, _ := net.SplitHostPort(name)
		limited, cancel := context.WithTimeout(ctx, answerTime)
		all, err := lookupHost(limited, host)
		cancel()
		n.found(p, err == nil && len(all) > 0)
		if err != nil {
			n.cfg.Logger.Debug("cluster: peers by DNS", "name", host, "err", err)
			continue
		}
		for _, a := range all {
			seen[net.JoinHostPort(a, port)] = time.Now()
		}
	}
}

// found notes whether a name has addresses. One that once had some is not unknown any more.
func (n *node) found(name string, has bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	switch at := slices.Index(n.unknown, name); {
	case has && at >= 0:
		n.unknown = slices.Delete(n.unknown, at, at+1)
	case !has && at < 0 && !n.known[name]:
		n.unknown = append(n.unknown, name)
	}
	if has {
		n.known[name] = true
	}
}

// addressesOf are those that a name had not long ago, sorted; others are forgotten.
func addressesOf(seen map[string]time.Time, now time.Time) (all []string) {
	for a, at := range seen {
		if now.Sub(at) > keptTime {
			delete(seen, a)
		} else {
			all = append(all, a)
		}
	}
	slices.Sort(all)
	return all
}

// Expected is how many other nodes Config.Peers name; a name that never had an address stands for one. It waits until names have
// been looked up once, or ctx ends. With Servers it is 0: nobody knows.
func (b *Bus) Expected(ctx context.Context) (others int) {
	if b.node == nil {
		return 0
	}
	addrs, unknown := b.node.others(ctx)
	return len(addrs) + len(unknown)
}

// others are the addresses of other nodes, and the names that never had one.
func (n *node) others(ctx context.Context) (addrs, unknown []string) {
	select {
	case <-n.looked:
	case <-ctx.Done():
	}
	n.mu.Lock()
	routes, unknown := n.options.Routes, slices.Clone(n.unknown)
	n.mu.Unlock()
	for _, r := range routes {
		if !n.isOwn(ctx, r.Host) {
			addrs = append(addrs, r.Host)
		}
	}
	return addrs, unknown
}

// Missing are the Config.Peers that do not answer now, each with the reason in words. It takes a second at most.
// With Servers it has none.
func (b *Bus) Missing(ctx context.Context) (all []string) {
	if b.node == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	addrs, unknown := b.node.others(ctx)
	for _, name := range unknown {
		all = append(all, name+" (the name has no address)")
	}
	why := make([]error, len(addrs))
	var wg sync.WaitGroup
	for i, addr := range addrs {
		wg.Go(func() {
			conn, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
			if why[i] = err; err == nil {
				_ = conn.Close()
			}
		})
	}
	wg.Wait()
	for i, addr := range addrs {
		if why[i] != nil {
			all = append(all, fmt.Sprintf("%s (%s)", addr, reasonOf(why[i])))
		}
	}
	return all
}

// reasonOf is what is behind "dial tcp ADDR: ".
func reasonOf(err error) error {
	if op := (*net.OpError)(nil); errors.As(err, &op) {
		return op.Err
	}
	return err
}

// isOwn tells whether an address is where this node listens, as far as that can be told.
func (n *node) isOwn(ctx context.Context, addr string) bool {
	own := n.server.Load().ClusterAddr()
	host, port, err := net.SplitHostPort(addr)
	if err != nil || own == nil {
		return false
	}
	_, ownPort, _ := net.SplitHostPort(own.String())
	if port != ownPort {
		return false
	}
	if !own.IP.IsUnspecified() {
		ip := net.ParseIP(host)
		return ip != nil && ip.Equal(own.IP) || ip == nil && resolvesTo(ctx, host, own.IP.Equal)
	}
	return resolvesTo(ctx, host, ofThisMachine())
}

func resolvesTo(ctx context.Context, host string, is func(net.IP) bool) bool {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	all, err := lookupHost(ctx, host)
	return err == nil && slices.ContainsFunc(all, func(a string) bool { return is(net.ParseIP(a)) })
}

// ofThisMachine tells whether an address is one of this machine.
func ofThisMachine() func(net.IP) bool {
	all, _ := net.InterfaceAddrs()
	return func(ip net.IP) bool {
		return slices.ContainsFunc(all, func(a net.Addr) bool {
			of, ok := a.(*net.IPNet)
			return ok && of.IP.Equal(ip)
		})
	}
}
