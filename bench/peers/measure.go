package main

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/stormwheel/stormwheel/internal/benchdoc"
)

const idleHeartbeat = 30 * time.Second

// measureAll is `peers bench`.
func measureAll(args []string) error {
	fs := flag.NewFlagSet("bench", flag.ContinueOnError)
	name := fs.String("effort", "short", "short: some minutes; full: about half an hour; tiny: to try it out")
	keep := fs.String("json", "../../out/peers.json", "where to keep the raw figures")
	only := fs.String("only", "", "workloads, comma-separated: idle, connect, beat, scale, evict, storm; default all")
	some := fs.String("kinds", "", "servers, comma-separated; default all")
	command := fs.String("command", "", "the command to name in the report; default this one")
	if err := fs.Parse(args); err != nil {
		return err
	}
	e, err := effortOf(*name)
	if err != nil {
		return err
	}
	if *command == "" {
		*command = "cd bench/peers && go run . bench " + strings.Join(args, " ")
	}
	r := &results{Schema: schema, Command: strings.TrimSpace(*command), Effort: e}
	names, err := r.present(*some)
	if err != nil {
		return err
	}
	for _, count := range e.Counts {
		if why := tooMany(count); why != "" {
			r.Skipped = append(r.Skipped, fmt.Sprintf("%s connections: %s", benchdoc.Grouped(count), why))
		}
	}
	began := time.Now()
	steps := e.steps(names)
	if *only != "" {
		steps = slices.DeleteFunc(steps, func(s step) bool { return !slices.Contains(strings.Split(*only, ","), s.Workload) })
	}
	for i, s := range steps {
		f, err := e.measure(s)
		rec := record{step: s, Figures: f}
		if err != nil {
			rec.Problem = err.Error()
		}
		r.Records = append(r.Records, rec)
		fmt.Fprintf(os.Stderr, "%4.0fs  %d/%d  %s\n", time.Since(began).Seconds(), i+1, len(steps), rec.line())
		// What was measured is kept, whatever comes after it.
		r.Where = benchdoc.Where(began, "../../server", "../../codec", "../../timingwheel", ".")
		if err := r.write(*keep); err != nil {
			return err
		}
	}
	if n := r.failures(); n > 0 {
		fmt.Fprintf(os.Stderr, "%d of %d measurements failed; the report says why\n", n, len(steps))
	}
	return nil
}

// present are the kinds that can run here, of those that are wanted.
func (r *results) present(wanted string) ([]string, error) {
	var names []string
	for _, k := range kinds {
		if wanted != "" && !slices.Contains(strings.Split(wanted, ","), k.name) {
			continue
		}
		if why := k.absent(); why != "" {
			r.Absent = append(r.Absent, k.label+": "+why)
			continue
		}
		if k.name == "netty" {
			r.Netty, _ = nettyVersion() // it is not absent, so it has one
		}
		names = append(names, k.name)
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("none of %q; there are %s", wanted, kindNames())
	}
	return names, nil
}

// line is the record for the eye.
func (r record) line() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-5s %-15s %6d", r.Workload, r.Kind, r.Conns)
	if r.Rate > 0 {
		fmt.Fprintf(&b, " at %d/s", r.Rate)
	}
	if r.Problem != "" {
		return b.String() + "  FAILED: " + r.Problem
	}
	for _, name := range slices.Sorted(maps.Keys(r.Figures)) {
		fmt.Fprintf(&b, "  %s %.4g", name, r.Figures[name])
	}
	return b.String()
}
