package bench

import (
	"os"

	"github.com/stormwheel/stormwheel/bench/result"
	"github.com/stormwheel/stormwheel/internal/machine/proc"
)

// cost is a reading of what this process and this machine have spent.
type cost struct {
	own     proc.Use
	ownErr  error
	all     proc.Processors
	counted map[string]int64
	memory  proc.Memory
}

func readCost() cost {
	c := cost{counted: proc.NetCounters(), memory: proc.KernelMemory(), all: proc.ReadProcessors()}
	c.own, c.ownErr = proc.Process(os.Getpid())
	return c
}

// since fills in what a run has cost since before, with that of its worker processes.
func (now *cost) since(before cost, workers proc.Use, out *result.Result) {
	out.Kernel = counted(now.counted, before.counted)
	if before.ownErr == nil && now.ownErr == nil {
		out.Generator.RSSBytes = new(now.own.Resident + workers.Resident)
		out.Generator.CPUS = new((now.own.CPU() - before.own.CPU() + workers.CPU()).Seconds())
	}
	if now.all.Known() && before.all.Known() {
		all := now.all.Since(before.all)
		out.Generator.MachineCPUS, out.Generator.StolenS = new(all.Busy.Seconds()), new(all.Stolen.Seconds())
	}
	out.Memory = memoryOf(out, before.memory, now.memory)
}

// fewest is how many sessions have to be there for a figure per connection.
const fewest = 1000

// memoryOf compares the end of a run with its beginning.
func memoryOf(out *result.Result, before, now proc.Memory) result.Memory {
	var m result.Memory
	if before.Bytes != 0 && now.Bytes != 0 {
		m.KernelBytes, m.SlabBytes, m.TCPPages = new(now.Bytes-before.Bytes), new(now.Slab-before.Slab), new(now.TCPPages-before.TCPPages)
	}
	if out.Conns.End < fewest {
		return m
	}
	perConn := func(bytes *int64) *float64 {
		if bytes == nil || *bytes < 0 { // others gave back more than we took
			return nil
		}
		return new(float64(*bytes) / float64(out.Conns.End))
	}
	m.KernelBytesPerConn = perConn(m.KernelBytes)
	m.GeneratorBytesPerConn = perConn(out.Generator.RSSBytes)
	var servers int64
	for _, s := range out.Server {
		if s.Killed {
			continue
		}
		if s.RSSBytes == nil {
			return m
		}
		servers += *s.RSSBytes
	}
	m.ServerBytesPerConn = perConn(&servers)
	return m
}

// counted is what the kernel counted from before to now.
func counted(now, before map[string]int64) result.Kernel {
	delta := func(name string) *int64 {
		a, known := before[name]
		b, still := now[name]
		if !known || !still {
			return nil
		}
		return new(b - a)
	}
	return result.Kernel{
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
