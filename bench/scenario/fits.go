package scenario

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/stormwheel/stormwheel/bench/result"
	"github.com/stormwheel/stormwheel/internal/machine"
)

const (
	backlogTime = 0.25   // s a loop may be kept from accepting
	mostOrphans = 1 << 8 // a storm below that is not worth a word
	// endsPerTCPPage: most ends hold no page of tcp_mem, for heartbeats wait nowhere.
	endsPerTCPPage = 16
)

// fits compares the run with the limits of the whole machine. Both ends of a spawned
// node's connections are on it.
func (p *Plan) fits(l machine.Limits) error {
	ends, processes, receivers := p.Conns, 1, max(len(p.endpoints)+len(p.sockets), 1)
	if p.Workers > 1 {
		processes += p.Workers
	}
	if p.Spawn > 0 {
		ends, processes, receivers = 2*p.Conns, processes+p.Spawn, p.Spawn
	}
	if p.Place == "first" {
		receivers = 1
	}
	short := l.Short(machine.Need{Conns: int64(p.Conns), Ends: int64(ends), Processes: int64(processes),
		Backlog: int64(p.backlog(receivers)), Orphans: int64(p.orphans()), Pages: int64(ends / endsPerTCPPage)})
	if len(short) == 0 {
		return nil
	}
	help := ""
	if short[0].Fix == "" {
		help = "; use fewer with --conns, or a larger machine"
	}
	return result.Impossible("%d connections %s%s", p.Conns, short[0], help)
}

// backlog is what one listener has to hold while its loop is kept from accepting.
func (p *Plan) backlog(receivers int) int {
	if p.Spawn == 0 {
		return 0 // the target's own affair
	}
	if p.floods() {
		return 0 // what does not fit there is part of it
	}
	return min(int(p.Rate*backlogTime), p.Conns) / receivers
}

// orphans are the connections of a node that is killed: what is above tcp_max_orphans is
// reset, and a client would see another end than the usual one.
func (p *Plan) orphans() int {
	if p.Kind != "kill" && p.Kind != "blackout" || p.Spawn == 0 || p.onFirst() < mostOrphans {
		return 0
	}
	return p.onFirst()
}

// descriptorReserve is what a process of ours has open besides connections.
const descriptorReserve = machine.ProcessFiles

// maxWorkers is far above what any machine of today needs.
const maxWorkers = 1024

// preflight compares the run with this machine's limits, and chooses the workers.
func (p *Plan) preflight(descriptors, ports int) error {
	moving := 0 // a client that moves has two connections for a while
	if p.drains() && p.Spawn > 0 {
		moving = p.onFirst()
	}
	if p.Workers == 0 {
		room := max(descriptors-descriptorReserve, 1)
		p.Workers = p.paired(max(1, min((p.Conns+moving+room-1)/room, maxWorkers, p.Conns)))
	}
	if need := (p.Conns+moving+p.Workers-1)/p.Workers + descriptorReserve; need > descriptors {
		return result.Impossible("%d connections in %s need %d descriptors each, a process may have %d (RLIMIT_NOFILE); raise it with: %s",
			p.Conns+moving, result.Plural(p.Workers, "worker process"), need, descriptors, machine.Read().RaiseDescriptors(int64(need)))
	}
	// A spawned node inherits our limit, keeps a few percent free, and may have to take its
	// share of a dead one's clients.
	holders := 1
	if p.Place == "even" {
		holders = p.Spawn
		if p.storms() {
			holders--
		}
	}
	most := (p.Conns + max(holders, 1) - 1) / max(holders, 1)
	if need := most + most/20 + 2*descriptorReserve; p.Spawn > 0 && need > descriptors {
		return result.Impossible("a spawned node may have to hold %d connections, which needs %d descriptors, it may have %d (RLIMIT_NOFILE); spawn more nodes with --spawn, or raise it with: %s",
			most, need, descriptors, machine.Read().RaiseDescriptors(int64(need)))
	}
	if len(p.sockets) > 0 {
		return nil // they have no ports
	}
	targets := max(len(p.endpoints), p.Spawn)
	if p.Place == "first" || p.storms() {
		targets = 1
	}
	lingering := p.lingering()
	if room := max(len(p.sources), 1) * ports * targets; p.Conns+lingering > room {
		over := ""
		if lingering > 0 {
			over = fmt.Sprintf(" and %d that were closed and keep their ports (TIME_WAIT)", lingering)
		}
		return result.Impossible("%d connections%s from %d source addresses to %d targets: %d local ports (net.ipv4.ip_local_port_range); add sources with --source, or raise it with: sysctl -w net.ipv4.ip_local_port_range='1024 65535'",
			p.Conns, over, max(len(p.sources), 1), targets, room)
	}
	return nil
}

// lingering is how many connections at most are closed by our side, as sessions end by BYE, and
// still keep their ports.
func (p *Plan) lingering() int {
	if p.Lifetime == 0 {
		return 0
	}
	length := p.Duration
	if len(p.Phases) > 0 {
		length = 0
		for _, ph := range p.Phases {
			if ph.Do == "churn" {
				length = min(length+ph.For, maxTime) // or many would overflow
			}
		}
	}
	return int(p.departureRate() * min(length, machine.TimeWait(p.onLoopback())).Seconds())
}

// departureRate is how many sessions a second end by BYE.
func (c *Config) departureRate() float64 { return float64(c.Conns) / c.Lifetime.Seconds() }

// onLoopback: all servers are on this machine.
func (p *Plan) onLoopback() bool {
	return !slices.ContainsFunc(p.endpoints, func(e netip.AddrPort) bool { return !e.Addr().IsLoopback() })
}
