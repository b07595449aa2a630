package bench

import (
	"context"
	"net/netip"
	"strconv"

	"github.com/stormwheel/stormwheel/internal/child"
	"github.com/stormwheel/stormwheel/internal/machine"
)

// aim starts the nodes that the run is to have, or finds the targets. died is told why, of a
// node that ends unasked. The error comes without a process left behind.
func (p *plan) aim(ctx context.Context, died func(error)) (*servers, error) {
	if p.Spawn > 0 {
		return p.spawn(ctx, died)
	}
	if err := findServer(ctx, p.endpoints); err != nil {
		return nil, err
	}
	return watchServers(ctx, p.endpoints, p.PIDs, p.Admins)
}

func (p *plan) spawn(ctx context.Context, died func(error)) (*servers, error) {
	command, err := commandOr(p.NodeCommand, "serve")
	if err != nil {
		return nil, err
	}
	args := []string{"--heartbeat", p.Heartbeat.String(), "--timeout", p.Timeout.String(), "--tick", p.Tick.String()}
	if p.Spawn > 2 {
		// The default takes one node for the receiver; here all but one are.
		args = append(args, "--failover-rate", strconv.FormatFloat(p.Capacity, 'f', -1, 64))
	}
	if p.AuthSecretFile != "" {
		args = append(args, "--auth-secret-file", p.AuthSecretFile)
	}
	for _, a := range p.NodeArgs {
		args = append(args, "--"+a) // the later one holds
	}
	all, err := spawnNodes(ctx, child.Program{Argv: command, Crowded: p.crowded()}, p.Spawn, args, died)
	if err != nil {
		return nil, err
	}
	for _, text := range all.addrs() {
		addr, err := netip.ParseAddrPort(text)
		if err != nil {
			all.stop()
			return nil, err
		}
		p.endpoints = append(p.endpoints, addr)
	}
	if p.Sources == "" {
		p.sources = loopbackSources(p.Conns+p.lingering(), machine.LocalPorts())
	}
	return all, nil
}

// crowded says whether the run's processes are many for this machine.
func (p *plan) crowded() bool { return child.Crowded(p.Spawn + p.Workers) }
