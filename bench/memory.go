package bench

import (
	"os"
	"strconv"
	"strings"
)

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

// kernelMemory is a reading of /proc; zero where it cannot be read.
type kernelMemory struct {
	bytes, slab, tcpPages int64
}

// readKernelMemory reads what the kernel keeps for itself.
func readKernelMemory() kernelMemory {
	m := meminfo()
	if m["MemTotal"] == 0 {
		return kernelMemory{}
	}
	return kernelMemory{
		bytes:    m["MemTotal"] - m["MemFree"] - m["Buffers"] - m["Cached"] - m["SwapCached"] - m["AnonPages"],
		slab:     m["Slab"],
		tcpPages: tcpPages(procText("/proc/net/sockstat")),
	}
}

// memory compares the end of a run with its beginning.
func (out *Result) memory(before, now kernelMemory) Memory {
	var m Memory
	if before.bytes != 0 && now.bytes != 0 {
		m.KernelBytes, m.SlabBytes, m.TCPPages = new(now.bytes-before.bytes), new(now.slab-before.slab), new(now.tcpPages-before.tcpPages)
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

// meminfo is /proc/meminfo in bytes, empty where there is none.
func meminfo() map[string]int64 { return parseMeminfo(procText("/proc/meminfo")) }

func parseMeminfo(text string) map[string]int64 {
	all := map[string]int64{}
	for line := range strings.Lines(text) {
		name, rest, _ := strings.Cut(line, ":")
		if f := strings.Fields(rest); len(f) == 2 && f[1] == "kB" {
			if n, err := strconv.ParseInt(f[0], 10, 64); err == nil {
				all[name] = n << 10
			}
		}
	}
	return all
}

// tcpPages is the figure after "mem" in the TCP line of sockstat.
func tcpPages(sockstat string) int64 {
	for line := range strings.Lines(sockstat) {
		f := strings.Fields(line)
		if len(f) > 2 && f[0] == "TCP:" && f[len(f)-2] == "mem" {
			n, _ := strconv.ParseInt(f[len(f)-1], 10, 64)
			return n
		}
	}
	return 0
}

// procText is the content of a file of /proc, empty where there is none.
func procText(path string) string {
	b, _ := os.ReadFile(path)
	return string(b)
}
