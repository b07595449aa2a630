package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/stormwheel/stormwheel/internal/benchdoc"
)

// What a larger machine is asked, for it alone can tell: what a connection costs in one
// process with very many of them, and what more event loops are good for. Half of the
// processors are the server's, the other half the clients'.
const (
	loopConns   = 2300   // clients a loop; eight loops fit into a process of 20,000 descriptors
	loopRate    = 25_000 // their heartbeats a second
	loopConnect = 20_000 // connects a second that are offered to a loop
	oneConnect  = 20_000 // connects a second to the one process with very many
)

// measureLarge is `peers large`.
func measureLarge(args []string) error {
	fs := flag.NewFlagSet("large", flag.ContinueOnError)
	conns := fs.Int("conns", 1_000_000, "connections of the one process")
	rounds := fs.Int("rounds", 2, "of each server, in turn")
	keep := fs.String("json", "../../out/large.json", "where to keep the raw figures")
	commit := fs.String("commit", "", "the commit to name in the report, where git cannot tell")
	if err := fs.Parse(args); err != nil {
		return err
	}
	half := runtime.NumCPU() / 2
	switch {
	case half < 1:
		return errors.New("large: two processors at least, half of them for the clients")
	case *conns < 1 || *rounds < 1:
		return errors.New("large: --conns and --rounds must be positive")
	}
	if err := pin(half, half); err != nil {
		return err
	}
	e := effort{Name: "large", Scale: *rounds, Counts: []int{*conns}, Warm: 1500 * time.Millisecond, Span: 4200 * time.Millisecond}
	r := &results{Schema: schema, Command: strings.TrimSpace("cd bench/peers && go run . large " + strings.Join(args, " ")), Effort: e}
	if why := tooManyForOne(*conns); why != "" {
		r.Skipped = append(r.Skipped, fmt.Sprintf("%s connections in one process: %s", benchdoc.Grouped(*conns), why))
	}
	began := time.Now()
	for _, s := range e.largeSteps(half) {
		if s.Workload == "one" && len(r.Skipped) > 0 {
			continue
		}
		f, err := e.measureLarge(s, half)
		rec := record{step: s, Figures: f}
		if err != nil {
			rec.Problem = err.Error()
		}
		r.Records = append(r.Records, rec)
		fmt.Fprintf(os.Stderr, "%4.0fs  %s\n", time.Since(began).Seconds(), rec.line())
		r.Where = benchdoc.Where(began, "../../server", "../../codec", "../../timingwheel", ".")
		if *commit != "" {
			r.Where = strings.Replace(r.Where, "commit unknown", "commit "+*commit, 1)
		}
		if err := r.write(*keep); err != nil {
			return err
		}
	}
	return nil
}

// largeSteps are the measurements of a larger machine, ours and the floor in turn: the loops
// double up to the processors of the server.
func (e effort) largeSteps(processors int) []step {
	var all []step
	turn := func(round int, s step) {
		for i := range 2 {
			s.Round, s.Kind = round, [...]string{ours, floorKind}[(i+round)%2]
			all = append(all, s)
		}
	}
	for round := range e.Scale {
		for loops := 1; loops <= processors; loops *= 2 {
			turn(round, step{Workload: "loops", Conns: loops * loopConns, Rate: loops * loopRate})
		}
	}
	for round := range e.Scale {
		turn(round, step{Workload: "one", Conns: e.Counts[0]})
	}
	return all
}

func (e effort) measureLarge(s step, processors int) (figures, error) {
	h := holding{conns: s.Conns, connect: oneConnect, heartbeat: idleHeartbeat, warm: e.Warm, span: e.Span,
		processes: 1, loops: processors, workers: processors}
	if s.Workload == "loops" {
		h.loops = s.Rate / loopRate
		h.connect, h.heartbeat = float64(h.loops)*loopConnect, heartbeatFor(s.Conns, s.Rate)
	}
	return hold(s.Kind, h)
}

// tooManyForOne says why a process can't have so many connections here, or nothing.
func tooManyForOne(conns int) string {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err == nil && limit.Cur < uint64(conns+conns/20+128) {
		return "a process may have " + strconv.FormatUint(limit.Cur, 10) + " descriptors only (ulimit -n)"
	}
	return tooMany(conns)
}

// largeSection is the part of BENCHMARKS.md about a larger machine.
func (r *results) largeSection() string {
	var b strings.Builder
	fmt.Fprintf(&b, `## A node on a larger machine

%s

`+"```\n%s\n```"+`

One process each, Stormwheel and bare gnet in turn. Half of the processors are the server's, the
other half belong to the clients (as many worker processes). Memory is (RSS with the
connections - RSS of the empty process) / connections, after a forced collection. How late the
clients were is told of the whole run, the rush of their connects included; round trips are of
the time after it.

`, r.Where, strings.TrimSpace(r.Command))
	conns := r.Effort.Counts[0]
	fmt.Fprintf(&b, `### %s connections in one process

They come at %s a second, and heartbeat every %v.

`, benchdoc.Grouped(conns), benchdoc.Grouped(oneConnect), idleHeartbeat)
	for _, line := range r.Skipped {
		fmt.Fprintf(&b, "Not run: %s.\n\n", line)
	}
	if s := (step{Workload: "one", Conns: conns}); len(r.kinds(s)) > 0 {
		r.table(&b, s,
			column{title: "bytes a connection", name: "bytes", spread: true, ratios: true},
			column{title: "µs CPU a connect", name: "connect_us"},
			column{title: "µs CPU a heartbeat", name: "cpu_us", ratios: true},
			column{title: "heartbeats a second", name: "beats_s"},
			column{title: "RTT p50, ms", name: "rtt_p50"},
			column{title: "RTT p99, ms", name: "rtt_p99", spread: true},
			column{title: "clients late p99, ms", name: "generator_p99"})
	}
	fmt.Fprintf(&b, `### As the loops grow

A process with so many event loops on as many processors; %s clients and %s heartbeats a second for
each. What a heartbeat costs must stay flat.

`, benchdoc.Grouped(loopConns), benchdoc.Grouped(loopRate))
	for loops := 1; ; loops *= 2 {
		s := step{Workload: "loops", Conns: loops * loopConns, Rate: loops * loopRate}
		if len(r.kinds(s)) == 0 {
			return b.String()
		}
		fmt.Fprintf(&b, "**Loops: %d**\n\n", loops)
		r.table(&b, s,
			column{title: "heartbeats a second", name: "beats_s"},
			column{title: "µs CPU a heartbeat", name: "cpu_us", spread: true, ratios: true},
			column{title: "RTT p50, ms", name: "rtt_p50"},
			column{title: "RTT p99, ms", name: "rtt_p99", spread: true},
			column{title: "connects a second", name: "connect_s", spread: true},
			column{title: "µs CPU a connect", name: "connect_us", ratios: true},
			column{title: "clients late p99, ms", name: "generator_p99"})
	}
}
