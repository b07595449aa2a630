package bench

import (
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/bench/result"
	"github.com/stormwheel/stormwheel/internal/machine/proc"
)

func TestKernelDeltas(t *testing.T) {
	before := map[string]int64{"SyncookiesSent": 3, "ListenDrops": 5}
	after := map[string]int64{"SyncookiesSent": 3, "ListenDrops": 9, "New": 1}
	k := counted(after, before)
	if k.ListenDrops == nil || *k.ListenDrops != 4 || k.SyncookiesSent == nil || *k.SyncookiesSent != 0 {
		t.Errorf("deltas = %+v, want 4 listen drops and 0 cookies", k)
	}
	if k.ListenOverflows != nil {
		t.Error("a counter that the kernel does not have is not null")
	}
}

func TestMemoryPerConnection(t *testing.T) {
	r := result.Result{Conns: result.Conns{End: 1000}, Generator: result.Generator{RSSBytes: new(int64(500_000))},
		Server: []result.Server{{RSSBytes: new(int64(600_000))}, {RSSBytes: new(int64(400_000))}, {RSSBytes: new(int64(9)), Killed: true}}}
	before, now := proc.Memory{Bytes: 1000, Slab: 10, TCPPages: 5}, proc.Memory{Bytes: 9_001_000, Slab: 30, TCPPages: 4}
	m := memoryOf(&r, before, now)
	if *m.ServerBytesPerConn != 1000 || *m.GeneratorBytesPerConn != 500 || *m.KernelBytesPerConn != 9000 ||
		*m.KernelBytes != 9_000_000 || *m.SlabBytes != 20 || *m.TCPPages != -1 {
		t.Errorf("memory = %+v", m)
	}
	if m = memoryOf(&r, now, before); m.KernelBytesPerConn != nil || *m.KernelBytes != -9_000_000 {
		t.Errorf("the kernel shrank: %+v, want no figure per connection", m)
	}
	if m = memoryOf(&r, proc.Memory{}, now); m.KernelBytes != nil || m.KernelBytesPerConn != nil {
		t.Errorf("no first reading: %+v", m)
	}
	r.Server[1].RSSBytes = nil
	if m = memoryOf(&r, before, now); m.ServerBytesPerConn != nil {
		t.Errorf("one server unknown: %+v", m)
	}
	r.Conns.End = 999
	if m = memoryOf(&r, before, now); m.GeneratorBytesPerConn != nil || m.KernelBytesPerConn != nil || m.KernelBytes == nil {
		t.Errorf("999 sessions: %+v, want no figure per connection", m)
	}
}

// The end of a run is read beside the monitor, whose last second may end later, or be read later: then the end is read again.
func TestAReadingIsPassedByALaterOne(t *testing.T) {
	const at, load = 5 * time.Second, time.Second
	ended := spent{at: at, load: load}
	for monitored, want := range map[spent]bool{
		{at: at - time.Second, load: load - 1}: false,
		{at: at - 1, load: load}:               false,
		{at: at, load: load}:                   true, // no time is left between them
		{at: at + 1, load: load}:               true,
		{at: at - 1, load: load + 1}:           true, // its time was read before, and its load after
	} {
		if got := ended.passed(monitored); got != want {
			t.Errorf("%+v is passed by %+v: %v", ended, monitored, got)
		}
	}
}
