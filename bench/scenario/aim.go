package scenario

import (
	"context"
	"net/netip"
	"os"
	"strconv"

	"github.com/stormwheel/stormwheel/bench/nodes"
	"github.com/stormwheel/stormwheel/internal/child"
	"github.com/stormwheel/stormwheel/internal/machine"
)

// Aim starts the nodes that the run is to have, or finds the targets. died is told why, of a
// node that ends unasked. The error comes without a process left behind.
func (p *Plan) Aim(ctx context.Context, died func(error)) (*nodes.Servers, error) {
	if p.Spawn > 0 {
		return p.spawn(ctx, died)
	}
	targets := p.sockets
	for _, e := range p.endpoints {
		targets = append(targets, e.String())
	}
	if err := nodes.Find(ctx, targets); err != nil {
		return nil, err
	}
	return nodes.Watch(ctx, targets, p.PIDs, p.Admins)
}

func (p *Plan) spawn(ctx context.Context, died func(error)) (*nodes.Servers, error) {
	command, err := child.Own(p.NodeCommand, "serve")
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
	args = append(args, p.carriedBy()...)
	args = append(args, p.nodeMessages()...)
	folder, flags, err := p.nodeFiles()
	if err != nil {
		return nil, err
	}
	args = append(args, flags...)
	for _, a := range p.NodeArgs {
		args = append(args, "--"+a) // the later one holds
	}
	all, err := nodes.Spawn(ctx, p.nodeProgram(command), p.Spawn, args, died)
	if err != nil {
		_ = os.RemoveAll(folder) // "" is no folder
		return nil, err
	}
	all.Folder = folder
	for _, text := range all.Addrs() {
		addr, err := netip.ParseAddrPort(text)
		if err != nil {
			all.Stop()
			return nil, err
		}
		p.endpoints = append(p.endpoints, addr)
	}
	if p.Sources == "" {
		p.sources = loopbackSources(p.Conns+p.lingering(), machine.LocalPorts())
	}
	return all, nil
}
