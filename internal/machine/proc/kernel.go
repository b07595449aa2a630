package proc

import (
	"os"
	"strconv"
	"strings"
)

// NetCounters are the TcpExt counters of /proc/net/netstat by their names there, since the
// start of the network namespace; nil where there are none.
func NetCounters() map[string]int64 {
	text, err := os.ReadFile("/proc/net/netstat")
	if err != nil {
		return nil
	}
	return parseNetstat(string(text))
}

// parseNetstat reads pairs of lines, names then values, each with a prefix.
func parseNetstat(text string) map[string]int64 {
	counters := map[string]int64{}
	lines := strings.Split(text, "\n")
	for i := 0; i+1 < len(lines); i += 2 {
		names, values := strings.Fields(lines[i]), strings.Fields(lines[i+1])
		if len(names) == 0 || names[0] != "TcpExt:" || len(names) != len(values) {
			continue
		}
		for j := 1; j < len(names); j++ {
			if v, err := strconv.ParseInt(values[j], 10, 64); err == nil {
				counters[names[j]] = v
			}
		}
	}
	return counters
}

// Memory is what the kernel of the whole machine keeps for itself.
type Memory struct {
	Bytes    int64 // neither free, nor file cache, nor a process's
	Slab     int64 // the part of it in slabs, as sockets, files and epoll entries are
	TCPPages int64 // what net.ipv4.tcp_mem has to bear
}

// KernelMemory reads it; all is zero where it cannot be read.
func KernelMemory() Memory {
	text, _ := os.ReadFile("/proc/meminfo")
	m := fieldsInBytes(string(text))
	if m["MemTotal"] == 0 {
		return Memory{}
	}
	text, _ = os.ReadFile("/proc/net/sockstat")
	return Memory{
		Bytes:    m["MemTotal"] - m["MemFree"] - m["Buffers"] - m["Cached"] - m["SwapCached"] - m["AnonPages"],
		Slab:     m["Slab"],
		TCPPages: tcpPages(string(text)),
	}
}

// fieldsInBytes reads lines "name: number kB", as those of meminfo. Other lines are left out.
func fieldsInBytes(text string) map[string]int64 {
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
