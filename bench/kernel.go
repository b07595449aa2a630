package bench

// countedSince is what the kernel has counted from `before` to now.
func countedSince(before, now map[string]int64) Kernel {
	delta := func(name string) *int64 {
		a, known := before[name]
		b, still := now[name]
		if !known || !still {
			return nil
		}
		return new(b - a)
	}
	return Kernel{
		ListenOverflows: delta("ListenOverflows"),
		ListenDrops:     delta("ListenDrops"),
		ReqQFullDrop:    delta("TCPReqQFullDrop"),
		ReqQFullCookies: delta("TCPReqQFullDoCookies"),
		SyncookiesSent:  delta("SyncookiesSent"),
		AbortOnClose:    delta("TCPAbortOnClose"),
		AbortOnData:     delta("TCPAbortOnData"),
		AbortOnTimeout:  delta("TCPAbortOnTimeout"),
		AbortOnMemory:   delta("TCPAbortOnMemory"),
		BacklogDrop:     delta("TCPBacklogDrop"),
		Timeouts:        delta("TCPTimeouts"),
	}
}
