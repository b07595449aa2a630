package bench

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/stormwheel/stormwheel/internal/machine"
	"github.com/stormwheel/stormwheel/internal/machine/proc"
)

// roomy allows everything.
func roomy() machine.Limits {
	l := machine.NoLimits()
	l.FilesOpen, l.Tracked, l.ThreadsThere = 0, 0, 0
	return l
}

func TestALimitOfTheMachineForbidsTheRunAndNamesItsSysctl(t *testing.T) {
	million := plan{Config: Config{Conns: 1_000_000, Spawn: 56, Workers: 51, Place: "even", Rate: 5500}, scenario: ScenarioNamed("hold")}
	kill := plan{Config: Config{Scenario: "storm", Conns: 8000, Spawn: 2, Workers: 1, Place: "even", Rate: 1000, Kind: "kill"}, scenario: ScenarioNamed("storm")}
	for _, tt := range []struct {
		name  string
		plan  plan
		least int64 // what is just enough
		field func(*machine.Limits) *int64
		want  string
	}{
		{"open files", million, 2_000_000 + 108*64, func(l *machine.Limits) *int64 { return &l.FileMax }, "sysctl -w fs.file-max="},
		{"epoll", million, 2_000_108, func(l *machine.Limits) *int64 { return &l.Watches }, "sysctl -w fs.epoll.max_user_watches=2000108"},
		{"tcp_mem", million, 125_000, func(l *machine.Limits) *int64 { return &l.TCPPages }, "sysctl -w net.ipv4.tcp_mem='62500 93750 125000'"},
		{"somaxconn", million, 24, func(l *machine.Limits) *int64 { return &l.Somaxconn }, "sysctl -w net.core.somaxconn=24"},
		{"conntrack", million, 1_000_000, func(l *machine.Limits) *int64 { return &l.Conntrack }, "sysctl -w net.netfilter.nf_conntrack_max="},
		{"pids", million, 108 * 12, func(l *machine.Limits) *int64 { return &l.PIDs }, "sysctl -w kernel.pid_max="},
		{"threads", million, 108 * 12, func(l *machine.Limits) *int64 { return &l.Threads }, "sysctl -w kernel.threads-max="},
		{"memory", million, 2_000_000*machine.EndBytes + 108*machine.ProcessBytes, func(l *machine.Limits) *int64 { return &l.Memory }, "use fewer with --conns"},
		{"orphans", kill, 4000, func(l *machine.Limits) *int64 { return &l.Orphans }, "sysctl -w net.ipv4.tcp_max_orphans=4000"},
	} {
		l := roomy()
		*tt.field(&l) = tt.least
		if err := tt.plan.fits(l); err != nil {
			t.Errorf("%s: %d is enough: %v", tt.name, tt.least, err)
		}
		*tt.field(&l)--
		if err := tt.plan.fits(l); ExitCode(err) != ExitImpossible || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %d is too few: %v, want exit %d and one line with %q", tt.name, tt.least-1, err, ExitImpossible, tt.want)
		}
	}
}

func TestLimitsThatDoNotMatterAreNotAskedFor(t *testing.T) {
	hold := plan{Config: Config{Conns: 100_000, Spawn: 6, Workers: 6, Place: "even", Rate: 1000}, scenario: ScenarioNamed("hold")}
	l := roomy()
	l.Orphans = 0 // nobody is killed
	if err := hold.fits(l); err != nil {
		t.Errorf("hold: %v", err)
	}
	target := plan{Config: Config{Conns: 100_000, Targets: []string{"192.0.2.1:1"}, Workers: 6, Place: "even", Rate: 1e6}, scenario: ScenarioNamed("hold")}
	l = roomy()
	l.Somaxconn, l.FileMax = 0, 100_000+7*64 // the listener is elsewhere, and so is the other end
	if err := target.fits(l); err != nil {
		t.Errorf("target elsewhere: %v", err)
	}
}

func TestMemoryPerConnection(t *testing.T) {
	r := Result{Conns: Conns{End: 1000}, Generator: Generator{RSSBytes: new(int64(500_000))},
		Server: []Server{{RSSBytes: new(int64(600_000))}, {RSSBytes: new(int64(400_000))}, {RSSBytes: new(int64(9)), Killed: true}}}
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

func TestEveryNodeNamesTheNextOnes(t *testing.T) {
	p := plan{Config: Config{Scenario: "hold", Spawn: maxNodes + 1, Conns: 10, Place: "even"}, scenario: ScenarioNamed("hold")}
	p.complete()
	if err := p.check(); ExitCode(err) != ExitUsage || !strings.Contains(err.Error(), "1 to 1024") {
		t.Errorf("--spawn %d: %v", p.Spawn, err)
	}
}

// A node that starts late would find its port taken by whoever asked for any.
func TestNodesListenBelowThePortsOfEverybody(t *testing.T) {
	if first := machine.FirstLocalPort(); first < 20_000 {
		t.Skipf("net.ipv4.ip_local_port_range begins at %d: no port is nobody's", first)
	}
	addrs, err := reservePorts(64)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, a := range addrs {
		port := netip.MustParseAddrPort(a).Port()
		if seen[a] || int(port) >= machine.FirstLocalPort() {
			t.Errorf("%s is twice there, or in the range that begins at %d", a, machine.FirstLocalPort())
		}
		seen[a] = true
	}
}
