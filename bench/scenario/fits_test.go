package scenario

import (
	"strings"
	"testing"

	"github.com/stormwheel/stormwheel/bench/nodes"
	"github.com/stormwheel/stormwheel/bench/result"
	"github.com/stormwheel/stormwheel/internal/machine"
)

// roomy allows everything.
func roomy() machine.Limits {
	l := machine.NoLimits()
	l.FilesOpen, l.Tracked, l.ThreadsThere = 0, 0, 0
	return l
}

func TestALimitOfTheMachineForbidsTheRunAndNamesItsSysctl(t *testing.T) {
	million := Plan{Config: Config{Conns: 1_000_000, Spawn: 56, Workers: 51, Place: "even", Rate: 5500}, Plays: Named("hold")}
	kill := Plan{Config: Config{Scenario: "storm", Conns: 8000, Spawn: 2, Workers: 1, Place: "even", Rate: 1000, Kind: "kill"}, Plays: Named("storm")}
	for _, tt := range []struct {
		name  string
		plan  Plan
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
		if err := tt.plan.fits(l); result.ExitCode(err) != result.ExitImpossible || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %d is too few: %v, want exit %d and one line with %q", tt.name, tt.least-1, err, result.ExitImpossible, tt.want)
		}
	}
}

func TestLimitsThatDoNotMatterAreNotAskedFor(t *testing.T) {
	hold := Plan{Config: Config{Conns: 100_000, Spawn: 6, Workers: 6, Place: "even", Rate: 1000}, Plays: Named("hold")}
	l := roomy()
	l.Orphans = 0 // nobody is killed
	if err := hold.fits(l); err != nil {
		t.Errorf("hold: %v", err)
	}
	target := Plan{Config: Config{Conns: 100_000, Targets: []string{"192.0.2.1:1"}, Workers: 6, Place: "even", Rate: 1e6}, Plays: Named("hold")}
	l = roomy()
	l.Somaxconn, l.FileMax = 0, 100_000+7*64 // the listener is elsewhere, and so is the other end
	if err := target.fits(l); err != nil {
		t.Errorf("target elsewhere: %v", err)
	}
}

func TestEveryNodeNamesTheNextOnes(t *testing.T) {
	p := Plan{Config: Config{Scenario: "hold", Spawn: nodes.Most + 1, Conns: 10, Place: "even"}, Plays: Named("hold")}
	p.complete()
	if err := p.check(); result.ExitCode(err) != result.ExitUsage || !strings.Contains(err.Error(), "1 to 1024") {
		t.Errorf("--spawn %d: %v", p.Spawn, err)
	}
}
