package machine

import (
	"os"
	"strconv"
	"strings"
)

// Read reads the limits of this process and this machine.
func Read() Limits {
	l := Limits{
		Descriptors:  descriptorLimit(),
		NrOpen:       sysctl("fs/nr_open", 0),
		FileMax:      sysctl("fs/file-max", 0),
		FilesOpen:    sysctl("fs/file-nr", 0),
		Watches:      sysctl("fs/epoll/max_user_watches", 0),
		Somaxconn:    sysctl("net/core/somaxconn", 0),
		SynBacklog:   sysctl("net/ipv4/tcp_max_syn_backlog", 0),
		SynCookies:   sysctl("net/ipv4/tcp_syncookies", 0),
		Orphans:      sysctl("net/ipv4/tcp_max_orphans", 0),
		TimeWaits:    sysctl("net/ipv4/tcp_max_tw_buckets", 0),
		TCPPages:     sysctl("net/ipv4/tcp_mem", 2),
		Conntrack:    sysctl("net/netfilter/nf_conntrack_max", 0),
		Tracked:      sysctl("net/netfilter/nf_conntrack_count", 0),
		PortLow:      sysctl("net/ipv4/ip_local_port_range", 0),
		PortHigh:     sysctl("net/ipv4/ip_local_port_range", 1),
		PIDs:         sysctl("kernel/pid_max", 0),
		Threads:      sysctl("kernel/threads-max", 0),
		ThreadsThere: threads(),
		Memory:       available(),
	}
	if l.Tracked == 0 { // the module is there, but no rule has it do anything
		l.Conntrack = Unknown
	}
	return l
}

// sysctl reads one number of a file below /proc/sys.
func sysctl(path string, field int) int64 {
	text, err := os.ReadFile("/proc/sys/" + path)
	if err != nil {
		return Unknown
	}
	words := strings.Fields(string(text))
	if field >= len(words) {
		return Unknown
	}
	return numberOr(words[field], Unknown)
}

func numberOr(text string, otherwise int64) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return otherwise
	}
	return n
}

// threads is how many the machine runs: the second half of "2/310" in /proc/loadavg.
func threads() int64 {
	text, _ := os.ReadFile("/proc/loadavg") // none: no fields
	words := strings.Fields(string(text))
	if len(words) < 4 {
		return Unknown
	}
	_, all, _ := strings.Cut(words[3], "/")
	return numberOr(all, Unknown)
}

// available is the memory that can be had without swapping, in bytes.
func available() int64 {
	number, _, _ := strings.Cut(field("/proc/meminfo", "MemAvailable"), " ")
	if n := numberOr(number, Unknown); n != Unknown {
		return n << 10
	}
	return Unknown
}

// field is the value of the first "name : value" line of a file; empty where there is none.
func field(file, name string) string {
	text, _ := os.ReadFile(file)
	for line := range strings.Lines(string(text)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
