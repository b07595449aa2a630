package main

import (
	"os"
	"strconv"
	"strings"
	"syscall"
)

// readMachine reads /proc. What is not there stays unknown.
func readMachine() (machine, error) {
	m := machine{
		openFiles:    unknown,
		nrOpen:       sysctl("fs/nr_open", 0),
		fileMax:      sysctl("fs/file-max", 0),
		fileUsed:     sysctl("fs/file-nr", 0),
		somaxconn:    sysctl("net/core/somaxconn", 0),
		synBacklog:   sysctl("net/ipv4/tcp_max_syn_backlog", 0),
		synCookies:   sysctl("net/ipv4/tcp_syncookies", 0),
		maxOrphans:   sysctl("net/ipv4/tcp_max_orphans", 0),
		maxTimeWait:  sysctl("net/ipv4/tcp_max_tw_buckets", 0),
		tcpMemPages:  sysctl("net/ipv4/tcp_mem", 2),
		conntrackMax: sysctl("net/netfilter/nf_conntrack_max", 0),
		conntrackNow: sysctl("net/netfilter/nf_conntrack_count", 0),
		portLow:      sysctl("net/ipv4/ip_local_port_range", 0),
		portHigh:     sysctl("net/ipv4/ip_local_port_range", 1),
		memory:       available(),
	}
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return m, os.NewSyscallError("getrlimit", err)
	}
	m.openFiles = int64(min(limit.Cur, 1<<62)) // the runtime has raised the soft limit to the hard one
	return m, nil
}

// sysctl reads one number of a file below /proc/sys.
func sysctl(path string, field int) int64 {
	b, err := os.ReadFile("/proc/sys/" + path)
	if err != nil {
		return unknown
	}
	words := strings.Fields(string(b))
	if field >= len(words) {
		return unknown
	}
	n, err := strconv.ParseInt(words[field], 10, 64)
	if err != nil {
		return unknown
	}
	return n
}

// available is the memory that can be had without swapping, in bytes.
func available() int64 {
	b, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return unknown
	}
	for line := range strings.Lines(string(b)) {
		if words := strings.Fields(line); len(words) == 3 && words[0] == "MemAvailable:" {
			if n, err := strconv.ParseInt(words[1], 10, 64); err == nil {
				return n << 10
			}
		}
	}
	return unknown
}
