package scenario

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"syscall"
)

// parseSources reads "127.0.0.2-127.0.0.50", "10.0.0.5" or a list of both with commas.
func parseSources(s string) ([]netip.Addr, error) {
	const most = 65536
	var out []netip.Addr
	for part := range strings.SplitSeq(s, ",") {
		from, to, isRange := strings.Cut(strings.TrimSpace(part), "-")
		first, err := netip.ParseAddr(from)
		if err != nil || !first.Is4() {
			return nil, fmt.Errorf("source %q: %q is not an IPv4 address", s, from)
		}
		last := first
		if isRange {
			if last, err = netip.ParseAddr(to); err != nil || !last.Is4() || last.Less(first) {
				return nil, fmt.Errorf("source %q: %q does not end a range that starts at %s", s, to, from)
			}
		}
		for a := first; ; a = a.Next() {
			if len(out) == most {
				return nil, fmt.Errorf("source %q: more than %d addresses", s, most)
			}
			out = append(out, a)
			if a == last {
				break
			}
		}
	}
	return out, nil
}

// checkSources binds each address once: one that is not of this machine would fail every
// connect of the run.
func checkSources(sources []netip.Addr) error {
	for _, a := range sources {
		l, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(a, 0)))
		switch {
		case errors.Is(err, syscall.EADDRNOTAVAIL):
			return fmt.Errorf("%s is not an address of this machine", a)
		case err != nil:
			return err
		}
		if err := l.Close(); err != nil {
			return err
		}
	}
	return nil
}

// loopbackSources are as many of 127.0.0.2, 127.0.0.3, ... as conns connections to one
// address need. A connection that just ended holds its port for a while, so half of a
// source's ports are left for returns.
func loopbackSources(conns, portsPerSource int) []netip.Addr {
	perSource := max(portsPerSource/2, 1)
	n := max((conns+perSource-1)/perSource, 1)
	out := make([]netip.Addr, 0, n)
	for a := netip.AddrFrom4([4]byte{127, 0, 0, 2}); len(out) < n; a = a.Next() {
		out = append(out, a)
	}
	return out
}
