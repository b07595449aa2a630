package machine

import "time"

func portRange() (low, high int) {
	low, high = int(sysctl("net/ipv4/ip_local_port_range", 0)), int(sysctl("net/ipv4/ip_local_port_range", 1))
	if low < 1 || high < low {
		return 32_768, 60_999 // the kernel's default
	}
	return low, high
}

// TimeWait is how long a port that this side has closed cannot be used again for the same
// server: TCP_TIMEWAIT_LEN, or, where tcp_tw_reuse allows it, until the other side can tell old
// segments by their timestamps. It may depend on whether the server is on this machine.
func TimeWait(loopback bool) time.Duration {
	reuse := sysctl("net/ipv4/tcp_tw_reuse", 0)
	if sysctl("net/ipv4/tcp_timestamps", 0) != 0 && (reuse == 1 || reuse == 2 && loopback) {
		if delay := sysctl("net/ipv4/tcp_tw_reuse_delay", 0); delay != Unknown {
			return time.Duration(delay) * time.Millisecond
		}
		return time.Second
	}
	return time.Minute
}
