package scenario

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/stormwheel/stormwheel/bench/nodes"
	"github.com/stormwheel/stormwheel/bench/result"
	"github.com/stormwheel/stormwheel/internal/link"
	"github.com/stormwheel/stormwheel/internal/transport"
)

// expand puts all the addresses of a name in its place: each is a target of its own. What is
// no HOST:PORT is left for resolve to refuse.
func (p *Plan) expand(ctx context.Context) error {
	var all []string
	for _, t := range p.Targets {
		host, port, err := net.SplitHostPort(t)
		if _, parsed := netip.ParseAddr(host); err != nil || parsed == nil || strings.HasPrefix(t, transport.UnixPrefix) {
			all = append(all, t)
			continue
		}
		addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		if err != nil {
			return &result.ExitError{Code: result.ExitOther, Err: fmt.Errorf("--target: %w", err)}
		}
		var targets []string
		for _, a := range addrs {
			if target := net.JoinHostPort(a.Unmap().String(), port); !slices.Contains(targets, target) {
				targets = append(targets, target)
			}
		}
		slices.Sort(targets) // resolvers shuffle; a seed is to mean the same run
		targets = p.reachable(ctx, t, targets)
		p.Notes = append(p.Notes, fmt.Sprintf("%s is %s", t, strings.Join(targets, ", ")))
		all = append(all, targets...)
	}
	p.Targets = all
	return nil
}

// reachable leaves out to which addresses of a name no way leads from here, as to those of a
// family that this machine does not have. Of a name of this machine itself, that is one of the
// loopback's families, it also leaves out where nobody listens, unless nobody does anywhere.
func (p *Plan) reachable(ctx context.Context, name string, targets []string) []string {
	var errs []error
	local, listens := true, false
	for _, t := range targets {
		conn, err := net.Dial("udp", t) // sends nothing
		if err == nil {
			conn.Close()
		}
		if a, parsed := netip.ParseAddrPort(t); parsed != nil || !a.Addr().IsLoopback() {
			local = false
		}
		errs = append(errs, err)
	}
	for i, t := range targets {
		if errs[i] != nil || !local || len(targets) == 1 {
			continue
		}
		dialer := net.Dialer{Timeout: time.Second}
		conn, err := dialer.DialContext(ctx, "tcp", t)
		if errs[i] = err; err == nil {
			listens = true
			conn.Close()
		}
	}
	var kept, notes []string
	for i, t := range targets {
		err := errs[i]
		if err == nil || link.FaultOf(err) != link.FaultPath && !listens {
			kept = append(kept, t)
		} else {
			notes = append(notes, fmt.Sprintf("%s of %s is left out: %v", t, name, nodes.Plainly(err)))
		}
	}
	if len(kept) == 0 {
		return targets // the run will say why not
	}
	p.Notes = append(p.Notes, notes...)
	return kept
}
