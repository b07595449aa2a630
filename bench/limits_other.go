//go:build !linux

package bench

func readLimits() limits {
	return limits{openFiles: unknown, nrOpen: unknown, watches: unknown, tcpPages: unknown, somaxconn: unknown,
		maxOrphans: unknown, conntrack: unknown, pids: unknown, threads: unknown, memory: unknown}
}
