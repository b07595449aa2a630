package main

import "slices"

// kind is a server that is measured.
type kind struct {
	name  string // of `peers serve`
	label string // in tables
	// evicts by its own usual means, told in how. The floor does not evict.
	evicts bool
	how    string
	// start listens, and tells where.
	start func(terms) (addr string, err error)
	// missing says why it can't run here; nil: it always can.
	missing func() string
}

// kinds are in the order of the tables: ours, the floor, then the others.
var kinds = []kind{
	{name: "stormwheel", label: "Stormwheel", evicts: true, start: serveStormwheel,
		how: "one timing wheel a loop; its own session, limits and counters"},
	{name: "gnet", label: "bare gnet v2.10.0", start: serveGnet,
		how: "the floor: no deadline, no session, no limit"},
	{name: "gnet-timer", label: "gnet + timers", evicts: true, start: serveGnetTimer,
		how: "gnet v2.10.0, one `time.Timer` a connection, Reset by what it sends"},
	{name: "go-net", label: "Go net", evicts: true, start: serveGoNet,
		how: "a goroutine a connection with a buffer of 256 bytes, `SetReadDeadline` before each Read"},
	{name: "nbio", label: "nbio v1.6.8", evicts: true, start: serveNbio,
		how: "`SetReadDeadline` in OnData, which resets the connection's `time.Timer`; 2 pollers"},
	{name: "gev", label: "gev v0.5.0", evicts: true, start: serveGev,
		how: "`IdleTime`, which arms RussellLuo's timing wheel and counts in whole seconds; 2 loops"},
	{name: "netpoll", label: "netpoll v0.7.0", evicts: true, start: serveNetpoll,
		how: "one `time.Timer` a connection, since its idle timeout is TCP keep-alive; buffers of 1 KiB instead of 4 and 8, one poller, a goroutine a request without a pool, as its guide advises"},
	{name: "netty", label: "Netty", evicts: true, start: serveNetty, missing: nettyMissing,
		how: "`IdleStateHandler`; NIO, 2 event loops, JVM flags " + nettyFlagsText},
}

func kindOf(name string) (kind, bool) {
	i := slices.IndexFunc(kinds, func(k kind) bool { return k.name == name })
	if i < 0 {
		return kind{}, false
	}
	return kinds[i], true
}

// absent says why the kind can't run here, or nothing.
func (k kind) absent() string {
	if k.missing == nil {
		return ""
	}
	return k.missing()
}
