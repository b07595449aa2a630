package main

import (
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stormwheel/stormwheel/internal/machine"
)

// What is too low is said beside what a node needs; package machine tests each limit.
func TestDoctorNamesWhatIsTooLowAndItsFix(t *testing.T) {
	const conns = 1_000_000
	for _, tt := range []struct {
		name   string
		limits machine.Limits
		want   []string
	}{
		{"descriptors", machine.Limits{Descriptors: 20_000, NrOpen: 2 << 20},
			[]string{"open files of a process", "20000", "1031238", "LOW", "ulimit -n 1031238"}},
		{"files used by others count", machine.Limits{FileMax: 4 << 20, FilesOpen: 4<<20 - 1000},
			[]string{"fs.file-max, unused", "1000", "1031238", "LOW", "sysctl -w fs.file-max=5224542"}},
		{"backlog", machine.Limits{Somaxconn: 128}, []string{"net.core.somaxconn", "128", "4096", "LOW", "sysctl -w net.core.somaxconn=4096"}},
		{"enough", machine.Limits{Somaxconn: 4096}, []string{"net.core.somaxconn", "4096", "4096", "ok", ""}},
		{"SYN cookies", machine.Limits{SynBacklog: 128, SynCookies: 1}, []string{"net.ipv4.tcp_max_syn_backlog", "128", "- (SYN cookies)", "ok", ""}},
		{"unknown", machine.Limits{Orphans: machine.Unknown}, []string{"net.ipv4.tcp_max_orphans", "unknown", "1000000", "-", ""}},
		{"memory", machine.Limits{Memory: 1 << 30}, []string{"memory, KiB", "1048576", "7000000", "LOW", "fewer connections, or more memory"}},
	} {
		var got []string
		for _, c := range tt.limits.Checks(nodeNeed(conns)) {
			if c.Name == tt.want[0] {
				got = row(c)
			}
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
	for _, tt := range []struct {
		limits machine.Limits
		conns  int64
		want   []string
	}{
		{machine.Limits{PortLow: 32768, PortHigh: 60999}, conns, []string{portsCheck, "28232 (32768-60999)", "36 source addresses", "ok", ""}},
		{machine.Limits{PortLow: 32768, PortHigh: 60999}, 10, []string{portsCheck, "28232 (32768-60999)", "-", "ok", ""}},
		{machine.NoLimits(), conns, []string{portsCheck, "unknown", "-", "-", ""}},
	} {
		if got := ports(tt.limits, tt.conns); !slices.Equal(got, tt.want) {
			t.Errorf("ports: got %q, want %q", got, tt.want)
		}
	}
}

func TestDoctorTellsByExitCode(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("no /proc")
	}
	p := stormwheel(t, "doctor", "--conns", "1073741824") // memory for them does not exist
	code, out := p.exit()
	if said := p.stderr.String(); code != exitError || strings.Count(said, "\n") != 1 || len(out) < 10 {
		t.Errorf("a billion connections: exit %d, %d lines, error %q", code, len(out), said)
	}
	width := -1
	for _, line := range out {
		at := max(strings.Index(line, "VERDICT"), strings.Index(line, " LOW"), strings.Index(line, " ok"))
		if strings.HasPrefix(line, "CHECK") {
			width = at
		} else if at >= 0 && at+1 != width {
			t.Errorf("line is not aligned: %q", line)
		}
	}
	want := 0
	if len(machine.Read().Short(nodeNeed(10))) > 0 {
		want = exitError
	}
	if code, _ := stormwheel(t, "doctor", "--conns", "10").exit(); code != want {
		t.Errorf("ten connections: exit %d, want %d", code, want)
	}
}
