package main

import (
	"strings"
	"testing"
)

// ample is a machine that holds a million connections.
var ample = machine{
	openFiles: 2 << 20, nrOpen: 2 << 20, fileMax: 4 << 20, fileUsed: 1000,
	somaxconn: 4096, synBacklog: 128, synCookies: 1,
	maxOrphans: 1 << 20, maxTimeWait: 1 << 20, tcpMemPages: 1 << 20,
	conntrackMax: unknown, conntrackNow: unknown,
	portLow: 32768, portHigh: 60999, memory: 8 << 30,
}

func TestDiagnoseNamesWhatIsTooLowAndItsFix(t *testing.T) {
	const conns = 1_000_000
	for _, tc := range []struct {
		name   string
		change func(*machine)
		check  string
		want   check // value and needed only where they are given
	}{
		{"descriptors", func(m *machine) { m.openFiles = 20000 }, "open files of a process",
			check{value: "20000", needed: "1031238", verdict: tooLow, fix: "ulimit -n 1031238"}},
		{"nr_open", func(m *machine) { m.nrOpen = 1 << 19 }, "fs.nr_open",
			check{verdict: tooLow, fix: "sysctl -w fs.nr_open=1031238"}},
		{"files used by others count", func(m *machine) { m.fileUsed = 4<<20 - 1000 }, "fs.file-max, unused",
			check{value: "1000", verdict: tooLow, fix: "sysctl -w fs.file-max=5224542"}},
		{"backlog", func(m *machine) { m.somaxconn = 128 }, "net.core.somaxconn",
			check{needed: "4096", verdict: tooLow, fix: "sysctl -w net.core.somaxconn=4096"}},
		{"SYN backlog with cookies", func(m *machine) {}, "net.ipv4.tcp_max_syn_backlog", check{verdict: okay}},
		{"SYN backlog without cookies", func(m *machine) { m.synCookies = 0 }, "net.ipv4.tcp_max_syn_backlog",
			check{verdict: tooLow, fix: "sysctl -w net.ipv4.tcp_max_syn_backlog=4096"}},
		{"orphans", func(m *machine) { m.maxOrphans = 65536 }, "net.ipv4.tcp_max_orphans",
			check{verdict: tooLow, fix: "sysctl -w net.ipv4.tcp_max_orphans=1000000"}},
		{"TIME_WAIT", func(m *machine) { m.maxTimeWait = 0 }, "net.ipv4.tcp_max_tw_buckets",
			check{verdict: tooLow, fix: "sysctl -w net.ipv4.tcp_max_tw_buckets=1000000"}},
		{"TCP memory", func(m *machine) { m.tcpMemPages = 999_999 }, "net.ipv4.tcp_mem, pages",
			check{verdict: tooLow, fix: "sysctl -w net.ipv4.tcp_mem='500000 750000 1000000'"}},
		{"tracked connections", func(m *machine) { m.conntrackMax, m.conntrackNow = 1_000_000, 5 }, "nf_conntrack_max, unused",
			check{value: "999995", verdict: tooLow, fix: "sysctl -w net.netfilter.nf_conntrack_max=1000005"}},
		{"tracked connections fit", func(m *machine) { m.conntrackMax, m.conntrackNow = 1_000_005, 5 }, "nf_conntrack_max, unused",
			check{verdict: okay}},
		{"ports", func(m *machine) {}, "local ports of a client host",
			check{value: "28232 (32768-60999)", needed: "36 source addresses", verdict: okay}},
		{"memory", func(m *machine) { m.memory = 1 << 30 }, "memory, KiB",
			check{value: "1048576", needed: "7000000", verdict: tooLow, fix: "fewer connections, or more memory"}},
		{"unknown", func(m *machine) { m.maxOrphans = unknown }, "net.ipv4.tcp_max_orphans",
			check{value: "unknown", verdict: noVerdict}},
		{"unknown use", func(m *machine) { m.fileUsed = unknown }, "fs.file-max, unused",
			check{value: "unknown", verdict: noVerdict}},
		{"unknown ports", func(m *machine) { m.portLow = unknown }, "local ports of a client host",
			check{value: "unknown", needed: "-", verdict: noVerdict}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			m := ample
			tc.change(&m)
			for _, c := range diagnose(m, conns) {
				if c.name != tc.check {
					if c.verdict == tooLow {
						t.Errorf("%s is too low as well: %+v", c.name, c)
					}
					continue
				}
				if c.verdict != tc.want.verdict || c.fix != tc.want.fix ||
					tc.want.value != "" && c.value != tc.want.value || tc.want.needed != "" && c.needed != tc.want.needed {
					t.Errorf("got %+v, want %+v", c, tc.want)
				}
				return
			}
			t.Errorf("no check %q", tc.check)
		})
	}
}

func TestDoctorReadsThisMachine(t *testing.T) {
	m, err := readMachine()
	if err != nil {
		t.Skip(err) // no /proc
	}
	if m.openFiles < 16 || m.nrOpen < m.openFiles/1024 || m.somaxconn < 1 || m.portHigh <= m.portLow || m.memory < 1<<20 {
		t.Errorf("readMachine() = %+v", m)
	}
}

func TestDoctorTellsByExitCode(t *testing.T) {
	m, err := readMachine()
	if err != nil {
		t.Skip(err)
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
	for _, c := range diagnose(m, 10) {
		if c.verdict == tooLow {
			want = exitError
		}
	}
	if code, _ := stormwheel(t, "doctor", "--conns", "10").exit(); code != want {
		t.Errorf("ten connections: exit %d, want %d", code, want)
	}
}
