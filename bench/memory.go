package bench

import "github.com/stormwheel/stormwheel/internal/machine/proc"

// Memory is what a connection costs. Each figure is null where it cannot be known: of a
// server that is not on this machine, and for fewer than 1,000 sessions, whose share the
// processes' own memory drowns.
type Memory struct {
	// ServerBytesPerConn is the resident memory of the live nodes, their base included, by
	// the sessions at the end.
	ServerBytesPerConn *float64 `json:"server_bytes_per_conn"`
	// GeneratorBytesPerConn is the same of the load test, all its processes.
	GeneratorBytesPerConn *float64 `json:"generator_bytes_per_conn"`
	// KernelBytes is by how much the kernel's own memory grew from before the ramp to the
	// end of the scenario: what is neither free, nor file cache, nor a process's. It is the
	// whole machine's, whoever caused it. With spawned nodes it has both ends.
	KernelBytes        *int64   `json:"kernel_bytes"`
	KernelBytesPerConn *float64 `json:"kernel_bytes_per_conn"`
	// SlabBytes is the part of KernelBytes in slabs, as sockets, files and epoll entries are;
	// TCPPages is how much net.ipv4.tcp_mem had to bear at the end, more than before.
	SlabBytes *int64 `json:"slab_bytes"`
	TCPPages  *int64 `json:"tcp_pages"`
}

// fewest is how many sessions have to be there for a figure per connection.
const fewest = 1000

// memory compares the end of a run with its beginning.
func (out *Result) memory(before, now proc.Memory) Memory {
	var m Memory
	if before.Bytes != 0 && now.Bytes != 0 {
		m.KernelBytes, m.SlabBytes, m.TCPPages = new(now.Bytes-before.Bytes), new(now.Slab-before.Slab), new(now.TCPPages-before.TCPPages)
	}
	if out.Conns.End < fewest {
		return m
	}
	perConn := func(bytes *int64) *float64 {
		if bytes == nil || *bytes < 0 { // others gave back more than we took
			return nil
		}
		return new(float64(*bytes) / float64(out.Conns.End))
	}
	m.KernelBytesPerConn = perConn(m.KernelBytes)
	m.GeneratorBytesPerConn = perConn(out.Generator.RSSBytes)
	var servers int64
	for _, s := range out.Server {
		if s.Killed {
			continue
		}
		if s.RSSBytes == nil {
			return m
		}
		servers += *s.RSSBytes
	}
	m.ServerBytesPerConn = perConn(&servers)
	return m
}
