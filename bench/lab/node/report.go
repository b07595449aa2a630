// Package node measures a node beside other servers that answer the same frames, under the same
// clients: memory, connects, heartbeats, evictions, recoveries.
package node

import (
	"github.com/stormwheel/stormwheel/bench/lab/kit"
	"github.com/stormwheel/stormwheel/bench/lab/peers"
)

// Section is the part of BENCHMARKS.md about a node and its peers.
var Section = kit.Section{Name: "peers", Title: "A node and its peers",
	Code:  []string{"server", "codec", "timingwheel", "bench/lab"},
	Steps: steps, Measure: measure, Write: write}

func write(p *kit.Page, k *kit.Kept) error {
	w := writer{Page: p, k: k, e: effortOf(k)}
	w.intro()
	w.targets()
	w.losses()
	w.idle()
	w.beats()
	w.scale()
	w.evictions()
	w.storms()
	return nil
}

// writer makes the parts of the section.
type writer struct {
	*kit.Page
	k *kit.Kept
	e effort
}

// compare adds a table of what was measured at s.
func (w writer) compare(s kit.Step, columns ...kit.Column) { Compare(w.Page, w.k, s, columns...) }

func (w writer) intro() {
	if w.k.Effort.Name != "full" {
		w.Printf("**This was a %s run: fewer rounds and shorter windows than `make bench-full` has.**\n\n", w.k.Effort.Name)
	}
	w.WriteString(`Each server runs in a process of its own and answers the same frames: HELLO with WELCOME,
PING with PONG, checksums checked and made. The same swarm of clients (package bench) meets
them one after the other, A B C and then C B A. A cell is the median of the rounds, with
[lowest - highest] where there were several; ratios are medians of the ratios of one round.
The clients share the machine's processors with the server and go first: how late they were
(p99 of all their timers) stands beside, and a figure whose clients were more than 20 ms late
is to be doubted. All Go servers have the collector's default settings.

`)
	var rows [][]string
	for _, kind := range peers.Kinds {
		rows = append(rows, []string{kind.Title(w.k), kind.How})
	}
	w.Table([]string{"server", "how it evicts, and how it is set up"}, rows)
	for _, line := range w.k.Notes["absent"] {
		w.Printf("Left out: %s.\n\n", line)
	}
}

func (w writer) idle() {
	w.Printf(`### Idle memory

%s clients come at %s a second, and then heartbeat every %v. Memory is (RSS with them - RSS of
the empty process) / clients, after a forced collection that gives free memory back (Go and
JVM both have one).

`, kit.Count(w.e.conns), kit.Count(leisurely), IdleHeartbeat)
	w.compare(w.e.idleStep(), Bytes, Late)
	w.Printf(`### Connecting

The same clients come at once, as fast as both sides can. CPU a connect is what the server used
until all were welcomed; the memory is what such a crowd leaves.

`)
	w.compare(w.e.connectStep(), Connects, ConnectCPU, Bytes, Late)
}

func (w writer) beats() {
	w.Printf(`### CPU and round trips under heartbeats

%s clients share the load; a window of %v after %v of warming up (%v for the JVM, which
compiles what is hot). RTT counts from the write of the PING; p50 and p99 are of one
second, the median of the window's seconds.

`, kit.Count(w.e.beatConns), w.e.span, w.e.warm, w.e.jvmWarm)
	w.Picture("peers-cpu.svg", "CPU of a heartbeat", w.cpuPicture())
	w.WriteString("\n")
	for _, rate := range w.e.rates {
		note := ""
		switch rate {
		case w.e.topRate():
			note = ": full load"
		case w.e.topRate() / 2:
			note = ": half load"
		}
		w.Printf("**%s heartbeats a second**%s\n\n", kit.Number(rate), note)
		w.compare(w.e.beatStep(rate), BeatCPU, kit.Column{Title: "user", Name: "user_us"}, kit.Column{Title: "system", Name: "system_us"},
			RTTp50, kit.Column{Title: RTTp99.Title, Name: RTTp99.Name, Spread: true, Ratios: true}, Beats, Late)
	}
}

func (w writer) scale() {
	w.Printf(`### As the count grows

The clients make %s heartbeats a second in all, however many they are, so that what a
connection and what a heartbeat costs must stay flat. Beyond %s connections each server is
several processes with as many each, and so are the clients; there the peers are left out.
Memory is flat. CPU is flat in one process; in many it is not, ours or bare gnet's: each has a
few of the heartbeats, so that nearly every one wakes a process of its own, and the socket that
it is for has left the caches.

`, kit.Number(w.e.scaleRate), kit.Count(peers.PerProcess))
	w.Picture("peers-bytes.svg", "Memory of a connection", w.memoryGraph().SVG(w.k))
	w.WriteString("\n")
	for _, count := range w.e.counts {
		s := scaleStep(count)
		if !Tried(w.k, s) {
			continue
		}
		w.Printf("**%s connections**\n\n", kit.Count(count))
		w.compare(s, Bytes, BeatCPU, Beats, RTTp99, Late)
	}
	for _, line := range w.k.Notes["skipped"] {
		w.Printf("Not run: %s.\n\n", line)
	}
}

func (w writer) evictions() {
	w.Printf(`### Mass eviction

%s clients fall silent at once (their last heartbeats are spread over %v) beside %s that go on;
timeout %v. Lateness is the close as the client sees it - its last heartbeat - timeout. The
RTT is that of the living while the others are evicted. Stormwheel's deadlines have a tick of
%v and may be two late; bare gnet evicts nobody.

`, kit.Count(w.e.silent), evictHeartbeat, kit.Count(w.e.living), evictTimeout, evictTick)
	w.compare(w.e.evictStep(),
		kit.Column{Title: "lateness p50, ms", Name: "late_p50"},
		kit.Column{Title: "lateness p99, ms", Name: "late_p99", Spread: true},
		kit.Column{Title: "earliest, ms", Name: "late_min"},
		kit.Column{Title: "evicted early", Name: "early"},
		kit.Column{Title: "not evicted", Name: "missed"},
		kit.Column{Title: "living evicted", Name: "false"},
		RTTp50, RTTp99,
		kit.Column{Title: "RTT max, ms", Name: "rtt_max"},
		Late)
}

func (w writer) storms() {
	w.Printf(`### Recovery after kill -9

Two servers of a kind; %s clients are on the first, which is killed. A client is back at the
first PONG after its WELCOME at the other. A Stormwheel node tells its clients over which
window to return, so that the receiver is not hit by more than it admits (2,000 a second by
default); the peers have no such word, and theirs come at once. With its admission open it
has no window either, and is like them. On one machine nothing but the processor bounds the
peers; in a data centre the login behind each connect does.

`, kit.Count(w.e.stormConns))
	w.compare(w.e.stormStep(),
		kit.Column{Title: "half are back, s", Name: "t50_s"},
		kit.Column{Title: "99 %, s", Name: "t99_s"},
		kit.Column{Title: "all, s", Name: "t100_s", Spread: true, Ratios: true},
		kit.Column{Title: "attempts a return", Name: "attempts"},
		kit.Column{Title: "busiest 100 ms, attempts/s", Name: "peak_s"},
		Late)
}
