package bench

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
)

// resolve turns targets and sources into addresses.
func (p *plan) resolve(ctx context.Context) error {
	for _, t := range p.Targets {
		host, port, err := net.SplitHostPort(t)
		if err != nil {
			return usagef("--target: %q is not HOST:PORT", t)
		}
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || n == 0 {
			return usagef("--target: %q has no port", t)
		}
		addrs, err := lookup(ctx, host)
		if err != nil {
			return &ExitError{Code: ExitOther, Err: fmt.Errorf("--target: %w", err)}
		}
		addr := addrs[0].Unmap()
		if i := slices.IndexFunc(addrs, func(a netip.Addr) bool { return a.Unmap().Is4() }); i >= 0 {
			addr = addrs[i].Unmap()
		}
		if !addr.IsLoopback() && !p.IOwnTheTarget {
			return usagef("--target: %s is not loopback; a load test may harm it: say --i-own-this-target if you do", t)
		}
		p.endpoints = append(p.endpoints, netip.AddrPortFrom(addr, uint16(n)))
	}
	if p.Sources != "" {
		var err error
		if p.sources, err = parseSources(p.Sources); err != nil {
			return &ExitError{Code: ExitUsage, Err: fmt.Errorf("--source: %w", err)}
		}
		if err := checkSources(p.sources); err != nil {
			return &ExitError{Code: ExitUsage, Err: fmt.Errorf("--source: %w", err)}
		}
		return nil
	}
	for _, e := range p.endpoints {
		if !e.Addr().IsLoopback() || !e.Addr().Is4() {
			return nil // the kernel knows which address leads there
		}
	}
	p.sources = loopbackSources(p.Conns+p.lingering(), localPorts())
	return nil
}

// lookup is LookupNetIP, which drops the zone of an address that is none to look up.
func lookup(ctx context.Context, host string) ([]netip.Addr, error) {
	if addr, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{addr}, nil
	}
	return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
}
