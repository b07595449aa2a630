package machine

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
)

const million = 1_000_000

// ample is a machine that holds a million connections.
var ample = Limits{
	Descriptors: 2 << 20, NrOpen: 2 << 20, FileMax: 4 << 20, FilesOpen: 1000, Watches: 2 << 20,
	Somaxconn: 4096, SynBacklog: 128, SynCookies: 1,
	Orphans: 1 << 20, TimeWaits: 1 << 20, TCPPages: 1 << 20,
	Conntrack: Unknown, Tracked: Unknown,
	PortLow: 32768, PortHigh: 60999, PIDs: 1 << 22, Threads: 1 << 17, ThreadsThere: 300, Memory: 8 << 30,
}

// everything asks for all that can be asked for.
var everything = Need{Conns: million, Ends: million, Processes: 2, Descriptors: 1_031_238, Backlog: 4096,
	Orphans: million, TimeWaits: million, Pages: million}

func TestWhatIsTooLowIsNamedWithItsFix(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*Limits)
		check  string
		have   int64
		fix    string // empty: it is not too low
	}{
		{"descriptors", func(l *Limits) { l.Descriptors = 20_000 }, "open files of a process", 20_000, "ulimit -n 1031238"},
		{"nr_open", func(l *Limits) { l.NrOpen = 1 << 19 }, "fs.nr_open", 1 << 19, "sysctl -w fs.nr_open=1031238"},
		{"files used by others count", func(l *Limits) { l.FilesOpen = 4<<20 - 1000 }, "fs.file-max, unused", 1000, "sysctl -w fs.file-max=5224542"},
		{"watches", func(l *Limits) { l.Watches = million }, "fs.epoll.max_user_watches", million, "sysctl -w fs.epoll.max_user_watches=1000002"},
		{"backlog", func(l *Limits) { l.Somaxconn = 128 }, "net.core.somaxconn", 128, "sysctl -w net.core.somaxconn=4096"},
		{"SYN backlog with cookies", func(*Limits) {}, "net.ipv4.tcp_max_syn_backlog", 128, ""},
		{"SYN backlog without cookies", func(l *Limits) { l.SynCookies = 0 }, "net.ipv4.tcp_max_syn_backlog", 128, "sysctl -w net.ipv4.tcp_max_syn_backlog=4096"},
		{"orphans", func(l *Limits) { l.Orphans = 65_536 }, "net.ipv4.tcp_max_orphans", 65_536, "sysctl -w net.ipv4.tcp_max_orphans=1000000"},
		{"TIME_WAIT", func(l *Limits) { l.TimeWaits = 0 }, "net.ipv4.tcp_max_tw_buckets", 0, "sysctl -w net.ipv4.tcp_max_tw_buckets=1000000"},
		{"TCP memory", func(l *Limits) { l.TCPPages = 999_999 }, "net.ipv4.tcp_mem, pages", 999_999, "sysctl -w net.ipv4.tcp_mem='500000 750000 1000000'"},
		{"tracked connections", func(l *Limits) { l.Conntrack, l.Tracked = million, 5 }, "nf_conntrack_max, unused", 999_995, "sysctl -w net.netfilter.nf_conntrack_max=1000005"},
		{"tracked connections fit", func(l *Limits) { l.Conntrack, l.Tracked = 1_000_005, 5 }, "nf_conntrack_max, unused", million, ""},
		{"thread ids", func(l *Limits) { l.PIDs = 323 }, "kernel.pid_max, unused", 23, "sysctl -w kernel.pid_max=648"},
		{"threads", func(l *Limits) { l.Threads = 200 }, "kernel.threads-max, unused", 0, "sysctl -w kernel.threads-max=648"},
		{"unknown", func(l *Limits) { l.Orphans = Unknown }, "net.ipv4.tcp_max_orphans", Unknown, ""},
		{"unknown use", func(l *Limits) { l.FilesOpen = Unknown }, "fs.file-max, unused", Unknown, ""},
		{"nobody knows how many threads", func(l *Limits) { l.ThreadsThere = Unknown }, "kernel.threads-max, unused", 1 << 17, ""},
	} {
		l := ample
		tt.change(&l)
		low := l.Short(everything)
		if want := tt.fix != ""; len(low) > 1 || len(low) == 1 != want || want && (low[0].Name != tt.check || low[0].Fix != tt.fix) {
			t.Errorf("%s: %v is too low; want %q %v, mended by %q", tt.name, low, tt.check, want, tt.fix)
		}
		seen := false
		for _, c := range l.Checks(everything) {
			seen = seen || c.Name == tt.check && c.Have == tt.have
		}
		if !seen {
			t.Errorf("%s: no check %q of %d in %+v", tt.name, tt.check, tt.have, l.Checks(everything))
		}
	}
}

func TestMemoryIsMeasuredByTheSameBytesForAll(t *testing.T) {
	l := ample
	l.Memory = million*EndBytes + 2*ProcessBytes
	if low := l.Short(everything); len(low) > 0 {
		t.Errorf("%d bytes are just enough, but %v", l.Memory, low)
	}
	l.Memory--
	low := l.Short(everything)
	if len(low) != 1 || low[0].Name != "memory, KiB" || low[0].Fix != "" {
		t.Fatalf("one byte too few: %v", low)
	}
	if got, want := low[0].String(), "need 7040960 KiB of memory (memory, KiB), there are 7040959"; got != want {
		t.Errorf("it says %q, want %q", got, want)
	}
}

func TestNothingIsCheckedThatNobodyAsksFor(t *testing.T) {
	if all := (Limits{}).Checks(Need{}); len(all) > 0 {
		t.Errorf("nothing is needed, and checked is %v", all)
	}
	if low := NoLimits().Short(everything); len(low) > 0 {
		t.Errorf("nothing is known, and too low is %v", low)
	}
}

func TestDescriptorsBeyondNrOpenTakeTwoCommands(t *testing.T) {
	l := ample
	if got, want := l.RaiseDescriptors(3<<20), "sysctl -w fs.nr_open=3145728 && ulimit -n 3145728"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestThisMachineCanBeRead(t *testing.T) {
	limit, used := Descriptors()
	if limit < 16 || used < 3 || used > limit {
		t.Errorf("%d descriptors of %d", used, limit)
	}
	if d := Describe(); d.Cores != runtime.NumCPU() || !strings.Contains(d.String(), fmt.Sprintf("%d cores, ", d.Cores)) ||
		!strings.HasSuffix(d.String(), runtime.GOOS+"/"+runtime.GOARCH) || strings.Contains(d.String(), "\n") {
		t.Errorf("Describe() = %s", d)
	}
	if n := LocalPorts(); n < 1 || n > 1<<16 || FirstLocalPort() < 1 {
		t.Errorf("%d local ports from %d on", n, FirstLocalPort())
	}
	if d := TimeWait(true); d <= 0 || d > TimeWait(false) {
		t.Errorf("TIME_WAIT takes %v on loopback, %v elsewhere", d, TimeWait(false))
	}
	l := Read()
	if runtime.GOOS != "linux" {
		return
	}
	if l.Descriptors != int64(limit) || l.NrOpen < l.Descriptors/1024 || l.Somaxconn < 1 || l.PortHigh <= l.PortLow ||
		l.Memory < 1<<20 || l.Memory > Memory() || l.FileMax < 100 || l.FilesOpen < 1 || l.PIDs < 100 || l.ThreadsThere < 1 {
		t.Errorf("Read() = %+v", l)
	}
}
