package bench

import (
	"os"
	"strconv"
	"strings"
	"time"
)

// readLimits reads /proc. What is not there stays unknown.
func readLimits() limits {
	return limits{
		openFiles:  less(sysctlNumber("fs/file-max", 0), sysctlNumber("fs/file-nr", 0)),
		nrOpen:     sysctlNumber("fs/nr_open", 0),
		watches:    sysctlNumber("fs/epoll/max_user_watches", 0),
		tcpPages:   sysctlNumber("net/ipv4/tcp_mem", 2),
		somaxconn:  sysctlNumber("net/core/somaxconn", 0),
		maxOrphans: sysctlNumber("net/ipv4/tcp_max_orphans", 0),
		conntrack:  conntrack(sysctlNumber("net/netfilter/nf_conntrack_max", 0), sysctlNumber("net/netfilter/nf_conntrack_count", 0)),
		pids:       sysctlNumber("kernel/pid_max", 0),
		threads:    sysctlNumber("kernel/threads-max", 0),
		tasks:      tasks(),
		memory:     available(),
	}
}

// timeWait is how long a port that this side has closed cannot be used again for the same
// server: TCP_TIMEWAIT_LEN, or, where tcp_tw_reuse allows it, until the other side can tell old
// segments by their timestamps.
func timeWait(loopback bool) time.Duration {
	reuse := sysctlNumber("net/ipv4/tcp_tw_reuse", 0)
	if sysctlNumber("net/ipv4/tcp_timestamps", 0) != 0 && (reuse == 1 || reuse == 2 && loopback) {
		if delay := sysctlNumber("net/ipv4/tcp_tw_reuse_delay", 0); delay != unknown {
			return time.Duration(delay) * time.Millisecond
		}
		return time.Second
	}
	return time.Minute
}

func less(limit, used int) int {
	if limit == unknown || used == unknown {
		return unknown
	}
	return limit - used
}

// conntrack is how many more connections can be tracked. The module may be there without
// a rule that has it do anything; it then tracks none.
func conntrack(limit, tracked int) int {
	if tracked == 0 {
		return unknown
	}
	return less(limit, tracked)
}

// sysctlNumber reads one number of a file below /proc/sys.
func sysctlNumber(path string, field int) int {
	b, err := os.ReadFile("/proc/sys/" + path)
	if err != nil {
		return unknown
	}
	words := strings.Fields(string(b))
	if field >= len(words) {
		return unknown
	}
	return numberOr(words[field], unknown) // fs.file-max may be larger than any int
}

func numberOr(s string, otherwise int) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		return otherwise
	}
	return n
}

// tasks is how many threads the machine runs: the second half of "2/310" in /proc/loadavg.
func tasks() int {
	b, _ := os.ReadFile("/proc/loadavg")
	words := strings.Fields(string(b))
	if len(words) < 4 {
		return 0
	}
	_, all, _ := strings.Cut(words[3], "/")
	return numberOr(all, 0)
}

func available() int {
	if n := meminfo()["MemAvailable"]; n > 0 {
		return int(n)
	}
	return unknown
}
