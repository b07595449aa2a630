//go:build !linux

package bench

import "time"

// timeWait is how long a port that this side has closed cannot be used again for the same server.
func timeWait(bool) time.Duration { return time.Minute }

func readLimits() limits {
	return limits{openFiles: unknown, nrOpen: unknown, watches: unknown, tcpPages: unknown, somaxconn: unknown,
		maxOrphans: unknown, conntrack: unknown, pids: unknown, threads: unknown, memory: unknown}
}
