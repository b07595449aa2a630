package bench

import (
	"os"
	"strconv"
	"strings"
)

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
