package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/stormwheel/stormwheel/internal/benchdoc"
)

// reportAgain is `peers report`: it measures nothing.
func reportAgain(args []string) error {
	fs := flag.NewFlagSet("report", flag.ContinueOnError)
	kept := fs.String("json", "../../out/peers.json", "the raw figures of peers bench")
	md := fs.String("md", "../../BENCHMARKS.md", "the file whose section is written")
	large := fs.String("large", "", "write the section of a larger machine from this file of peers large, and nothing else")
	svg := fs.String("svg", "../../docs/img", "the folder for the pictures")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if *large != "" {
		r, err := readResults(*large)
		if err != nil {
			return err
		}
		return benchdoc.Replace(*md, "large", r.largeSection())
	}
	r, err := readResults(*kept)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(*svg, 0o755); err != nil {
		return err
	}
	for name, text := range r.pictures() {
		if err := os.WriteFile(filepath.Join(*svg, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return benchdoc.Replace(*md, "peers", r.section())
}

// section is the part of BENCHMARKS.md.
func (r *results) section() string {
	var b strings.Builder
	fmt.Fprintf(&b, "## A node and its peers\n\n%s\n\n```\n%s\n```\n\n", r.Where, r.Command)
	r.intro(&b)
	r.verdicts(&b)
	r.losses(&b)
	r.idle(&b)
	r.beats(&b)
	r.scale(&b)
	r.evictions(&b)
	r.storms(&b)
	return b.String()
}

func (r *results) intro(b *strings.Builder) {
	if r.Effort.Name != "full" {
		fmt.Fprintf(b, "**This was a %s run: fewer rounds and shorter windows than `make bench-full` has.**\n\n", r.Effort.Name)
	}
	b.WriteString(`Each server runs in a process of its own and answers the same frames: HELLO with WELCOME,
PING with PONG, checksums checked and made. The same swarm of clients (package bench) meets
them one after the other, A B C and then C B A. A cell is the median of the rounds, with
(lowest - highest) where there were several; ratios are medians of the ratios of one round.
The clients share the machine's processors with the server and go first: how late they were
(p99 of all their timers) stands beside, and a figure whose clients were more than 20 ms late
is to be doubted. All Go servers have the collector's default settings.

| server | how it evicts, and how it is set up |
|---|---|
`)
	for _, k := range kinds {
		label := k.label
		if k.name == "netty" && r.Netty != "" {
			label += " " + r.Netty
		}
		fmt.Fprintf(b, "| %s | %s |\n", label, k.how)
	}
	b.WriteString("\n")
	for _, line := range r.Absent {
		fmt.Fprintf(b, "Left out: %s.\n\n", line)
	}
}

func (r *results) idle(b *strings.Builder) {
	e := r.Effort
	fmt.Fprintf(b, `### Idle memory

%s clients come at %s a second, and then heartbeat every %v. Memory is (RSS with them - RSS of
the empty process) / clients, after a forced collection that gives free memory back (Go and
JVM both have one).

`, benchdoc.Grouped(e.Conns), benchdoc.Grouped(leisurely), idleHeartbeat)
	r.table(b, step{Workload: "idle", Conns: e.Conns},
		column{title: "bytes a connection", name: "bytes", spread: true, ratios: true},
		column{title: "clients late p99, ms", name: "generator_p99"})
	fmt.Fprintf(b, `### Connecting

The same clients come at once, as fast as both sides can. CPU a connect is what the server used
until all were welcomed; the memory is what such a crowd leaves.

`)
	r.table(b, step{Workload: "connect", Conns: e.Conns},
		column{title: "connects a second", name: "connect_s", spread: true},
		column{title: "µs CPU a connect", name: "connect_us", spread: true, ratios: true},
		column{title: "bytes a connection", name: "bytes", spread: true, ratios: true},
		column{title: "clients late p99, ms", name: "generator_p99"})
}

func (r *results) beats(b *strings.Builder) {
	e := r.Effort
	fmt.Fprintf(b, `### CPU and round trips under heartbeats

%s clients share the load; a window of %v after %v of warming up (%v for the JVM, which
compiles what is hot). RTT counts from the write of the PING; p50 and p99 are of one
second, the median of the window's seconds.

![CPU of a heartbeat](docs/img/peers-cpu.svg)

`, benchdoc.Grouped(e.BeatConns), e.Span, e.Warm, e.JVMWarm)
	for _, rate := range e.Rates {
		note := ""
		switch rate {
		case e.topRate():
			note = ": full load"
		case e.topRate() / 2:
			note = ": half load"
		}
		fmt.Fprintf(b, "**%s heartbeats a second**%s\n\n", benchdoc.Grouped(rate), note)
		r.table(b, step{Workload: "beat", Conns: e.BeatConns, Rate: rate},
			column{title: "µs CPU a heartbeat", name: "cpu_us", spread: true, ratios: true},
			column{title: "user", name: "user_us"},
			column{title: "system", name: "system_us"},
			column{title: "RTT p50, ms", name: "rtt_p50"},
			column{title: "RTT p99, ms", name: "rtt_p99", spread: true, ratios: true},
			column{title: "reached a second", name: "beats_s"},
			column{title: "clients late p99, ms", name: "generator_p99"})
	}
}

func (r *results) scale(b *strings.Builder) {
	fmt.Fprintf(b, `### As the count grows

The clients make %s heartbeats a second in all, however many they are, so that what a
connection and what a heartbeat costs must stay flat. Beyond %s connections each server is
several processes with as many each, and so are the clients; there the peers are left out.
Memory is flat. CPU is flat in one process; in many it is not, ours or bare gnet's: each has a
few of the heartbeats, so that nearly every one wakes a process of its own, and the socket that
it is for has left the caches.

![Memory of a connection](docs/img/peers-bytes.svg)

`, benchdoc.Grouped(r.Effort.ScaleRate), benchdoc.Grouped(perProcess))
	for _, count := range r.Effort.Counts {
		s := step{Workload: "scale", Conns: count}
		if len(r.kinds(s)) == 0 {
			continue
		}
		fmt.Fprintf(b, "**%s connections**\n\n", benchdoc.Grouped(count))
		r.table(b, s,
			column{title: "bytes a connection", name: "bytes", spread: true, ratios: true},
			column{title: "µs CPU a heartbeat", name: "cpu_us", spread: true, ratios: true},
			column{title: "heartbeats a second", name: "beats_s"},
			column{title: "RTT p99, ms", name: "rtt_p99"},
			column{title: "clients late p99, ms", name: "generator_p99"})
	}
	for _, line := range r.Skipped {
		fmt.Fprintf(b, "Not run: %s.\n\n", line)
	}
}

func (r *results) evictions(b *strings.Builder) {
	e := r.Effort
	fmt.Fprintf(b, `### Mass eviction

%s clients fall silent at once (their last heartbeats are spread over %v) beside %s that go on;
timeout %v. Lateness is the close as the client sees it - its last heartbeat - timeout. The
RTT is that of the living while the others are evicted. Stormwheel's deadlines have a tick of
%v and may be two late; bare gnet evicts nobody.

`, benchdoc.Grouped(e.Silent), evictHeartbeat, benchdoc.Grouped(e.Living), evictTimeout, evictTick)
	r.table(b, step{Workload: "evict", Conns: e.Silent},
		column{title: "lateness p50, ms", name: "late_p50"},
		column{title: "lateness p99, ms", name: "late_p99", spread: true, ratios: false},
		column{title: "earliest, ms", name: "late_min"},
		column{title: "evicted early", name: "early"},
		column{title: "not evicted", name: "missed"},
		column{title: "living evicted", name: "false"},
		column{title: "RTT p50, ms", name: "rtt_p50"},
		column{title: "RTT p99, ms", name: "rtt_p99", spread: true},
		column{title: "RTT max, ms", name: "rtt_max"},
		column{title: "clients late p99, ms", name: "generator_p99"})
}

func (r *results) storms(b *strings.Builder) {
	fmt.Fprintf(b, `### Recovery after kill -9

Two servers of a kind; %s clients are on the first, which is killed. A client is back at the
first PONG after its WELCOME at the other. A Stormwheel node tells its clients over which
window to return, so that the receiver is not hit by more than it admits (2,000 a second by
default); the peers have no such word, and theirs come at once. With its admission open it
has no window either, and is like them. On one machine nothing but the processor bounds the
peers; in a data centre the login behind each connect does.

`, benchdoc.Grouped(r.Effort.StormConns))
	r.table(b, step{Workload: "storm", Conns: r.Effort.StormConns},
		column{title: "half are back, s", name: "t50_s"},
		column{title: "99 %, s", name: "t99_s"},
		column{title: "all, s", name: "t100_s", spread: true, ratios: true},
		column{title: "attempts a return", name: "attempts"},
		column{title: "busiest 100 ms, attempts/s", name: "peak_s"},
		column{title: "clients late p99, ms", name: "generator_p99"})
}
