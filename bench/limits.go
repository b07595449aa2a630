package bench

import (
	"fmt"
	"math"
	"net/netip"
	"slices"
)

// limits are what a machine allows, beside the descriptors and the ports of a process. A
// limit that the kernel does not tell is unknown, and none is seen in it.
type limits struct {
	openFiles  int // fs.file-max, less those that are open
	nrOpen     int // fs.nr_open: what RLIMIT_NOFILE can be raised to
	watches    int // fs.epoll.max_user_watches
	tcpPages   int // net.ipv4.tcp_mem, its last number
	somaxconn  int
	maxOrphans int
	conntrack  int // nf_conntrack_max, less those that are tracked
	pids       int // kernel.pid_max
	threads    int // kernel.threads-max
	tasks      int // threads that there are now
	memory     int // bytes that can be had without swapping
}

const unknown = math.MaxInt

// What a run takes, seen with 100,000 to a million connections on Linux 6.18.
const (
	endBytes          = 5 << 10  // one end of a connection, kernel and process together
	processBytes      = 20 << 20 // a node or a worker without any
	threadsPerProcess = 12
	endsPerTCPPage    = 16     // most ends hold no page of tcp_mem
	backlogTime       = 0.25   // s a loop may be kept from accepting
	mostOrphans       = 1 << 8 // a storm below that is not worth a word
)

// fits compares the run with the limits of the whole machine. Both ends of a spawned
// node's connections are on it.
func (p *plan) fits(l limits) error {
	ends, processes, receivers := p.Conns, 1, max(len(p.endpoints), 1)
	if p.Workers > 1 {
		processes += p.Workers
	}
	if p.Spawn > 0 {
		ends, processes, receivers = 2*p.Conns, processes+p.Spawn, p.Spawn
	}
	if p.Place == "first" {
		receivers = 1
	}
	threads := processes * threadsPerProcess
	sysctl := func(name string, value int) string { return fmt.Sprintf("sysctl -w %s=%d", name, value) }
	for _, c := range []struct {
		what       string
		need, have int
		fix        string
	}{
		{"open files of the machine (fs.file-max)", ends + processes*descriptorReserve, l.openFiles,
			sysctl("fs.file-max", 2*(ends+processes*descriptorReserve))},
		{"sockets that epoll watches (fs.epoll.max_user_watches)", ends + processes, l.watches,
			sysctl("fs.epoll.max_user_watches", ends+processes)},
		{"pages of TCP memory (net.ipv4.tcp_mem)", ends / endsPerTCPPage, l.tcpPages,
			fmt.Sprintf("sysctl -w net.ipv4.tcp_mem='%d %d %d'", ends/endsPerTCPPage/2, ends/endsPerTCPPage*3/4, ends/endsPerTCPPage)},
		{"connections that wait for accept (net.core.somaxconn)", p.backlog(receivers), l.somaxconn,
			sysctl("net.core.somaxconn", p.backlog(receivers))},
		{"connections that nf_conntrack tracks", p.Conns, l.conntrack, sysctl("net.netfilter.nf_conntrack_max", 2*p.Conns)},
		{"orphaned sockets when the node is killed (net.ipv4.tcp_max_orphans)", p.orphans(), l.maxOrphans,
			sysctl("net.ipv4.tcp_max_orphans", p.orphans())},
		{"thread ids (kernel.pid_max)", l.tasks + threads, l.pids, sysctl("kernel.pid_max", 2*(l.tasks+threads))},
		{"threads (kernel.threads-max)", l.tasks + threads, l.threads, sysctl("kernel.threads-max", 2*(l.tasks+threads))},
	} {
		if c.need > c.have {
			return impossiblef("%d connections need %d %s, there are %d; raise it with: %s", p.Conns, c.need, c.what, c.have, c.fix)
		}
	}
	if need := ends*endBytes + processes*processBytes; need > l.memory {
		return impossiblef("%d connections need about %d MiB of memory on this machine, %d MiB are available; use fewer with --conns, or a larger machine",
			p.Conns, need>>20, l.memory>>20)
	}
	return nil
}

// raiseDescriptors is the command for RLIMIT_NOFILE, which fs.nr_open bounds.
func raiseDescriptors(need int) string {
	if need > readLimits().nrOpen {
		return fmt.Sprintf("sysctl -w fs.nr_open=%d && ulimit -n %d", need, need)
	}
	return fmt.Sprintf("ulimit -n %d", need)
}

// backlog is what one listener has to hold while its loop is kept from accepting.
func (p *plan) backlog(receivers int) int {
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
func (p *plan) orphans() int {
	if p.Kind != "kill" && p.Kind != "blackout" || p.Spawn == 0 || p.onFirst() < mostOrphans {
		return 0
	}
	return p.onFirst()
}

// descriptorReserve is what a process of ours has open besides connections.
const descriptorReserve = 64

// maxWorkers is far above what any machine of today needs.
const maxWorkers = 1024

// maxNodes is what a process of a million descriptors would need; each is a process.
const maxNodes = 1024

// preflight compares the run with this machine's limits, and chooses the workers.
func (p *plan) preflight(descriptors, ports int) error {
	moving := 0 // a client that moves has two connections for a while
	if p.drains() && p.Spawn > 0 {
		moving = p.onFirst()
	}
	if p.Workers == 0 {
		room := max(descriptors-descriptorReserve, 1)
		p.Workers = max(1, min((p.Conns+moving+room-1)/room, maxWorkers, p.Conns))
	}
	if need := (p.Conns+moving+p.Workers-1)/p.Workers + descriptorReserve; need > descriptors {
		return impossiblef("%d connections in %s need %d descriptors each, a process may have %d (RLIMIT_NOFILE); raise it with: %s",
			p.Conns+moving, plural(p.Workers, "worker process"), need, descriptors, raiseDescriptors(need))
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
		return impossiblef("a spawned node may have to hold %d connections, which needs %d descriptors, it may have %d (RLIMIT_NOFILE); spawn more nodes with --spawn, or raise it with: %s",
			most, need, descriptors, raiseDescriptors(need))
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
		return impossiblef("%d connections%s from %d source addresses to %d targets: %d local ports (net.ipv4.ip_local_port_range); add sources with --source, or raise it with: sysctl -w net.ipv4.ip_local_port_range='1024 65535'",
			p.Conns, over, max(len(p.sources), 1), targets, room)
	}
	return nil
}

// lingering is how many connections at most are closed by our side, as sessions end by BYE, and
// still keep their ports.
func (p *plan) lingering() int {
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
	return int(p.departureRate() * min(length, timeWait(p.onLoopback())).Seconds())
}

// departureRate is how many sessions a second end by BYE.
func (c *Config) departureRate() float64 { return float64(c.Conns) / c.Lifetime.Seconds() }

// onLoopback: all servers are on this machine.
func (p *plan) onLoopback() bool {
	return !slices.ContainsFunc(p.endpoints, func(e netip.AddrPort) bool { return !e.Addr().IsLoopback() })
}
