// Command wheels compares the timing wheel with other ways to keep the
// deadlines of very many connections, and writes what it finds into
// BENCHMARKS.md and two charts.
//
// Each subject runs alone in a child process, one after the other, in turn: so
// none inherits another's heap, and a slow minute of the machine hits all of
// them. What is counted is processor time, the collector's included; the tables
// show the median of the repeats and their spread.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/stormwheel/stormwheel/internal/benchdoc"
)

// options are the flags.
type options struct {
	quick      bool
	md, svg    string
	json, from string
	limit      time.Duration
	only       string
	n          int
	child      string
}

func main() {
	var o options
	flag.BoolVar(&o.quick, "quick", false, "fewer operations and repeats, up to 1,000,000 connections: about 2 minutes")
	flag.StringVar(&o.md, "md", "", "write the section into this file (default: standard output)")
	flag.StringVar(&o.svg, "svg", "", "write the charts into this folder")
	flag.StringVar(&o.json, "json", "", "save the measurements in this file")
	flag.StringVar(&o.from, "from", "", "measure nothing: draw section and charts from this saved file")
	flag.DurationVar(&o.limit, "limit", 10*time.Minute, "begin no further repeat after this time")
	flag.StringVar(&o.only, "only", "", "comma-separated subjects; without the others there are no ratios")
	flag.IntVar(&o.n, "n", 0, "only with this number of connections")
	flag.StringVar(&o.child, "child", "", "internal: measure this subject with -n connections and print JSON")
	flag.Parse()

	if err := run(o); err != nil {
		fmt.Fprintln(os.Stderr, "wheels:", err)
		os.Exit(1)
	}
}

func run(o options) error {
	if o.child != "" {
		return runChild(o.child, o.n, o.quick)
	}
	var a *runs
	var err error
	if o.from != "" {
		a, err = load(o.from)
	} else {
		a, err = measureAll(o)
	}
	if err != nil {
		return err
	}
	if o.svg != "" {
		if err := writeCharts(o.svg, a); err != nil {
			return err
		}
	}
	if o.md == "" {
		fmt.Print(section(a))
		return nil
	}
	return benchdoc.Replace(o.md, "wheel", section(a))
}

func runChild(name string, n int, quick bool) error {
	// A subject that outgrows the machine must fail alone.
	debug.SetMemoryLimit(16 << 30)
	e := full
	if quick {
		e = quickly
	}
	var r results
	if name == memoryKind {
		r = memoryLatency(n)
	} else {
		k, ok := kindOf(name)
		if !ok {
			return fmt.Errorf("no subject %q", name)
		}
		r = measure(k, n, e)
	}
	return json.NewEncoder(os.Stdout).Encode(r)
}

const memoryKind = "memory"

// plan is how often all subjects take their turn with how many connections.
func (o options) plan() []series {
	plan := []series{{10_000, 5}, {100_000, 5}, {1_000_000, 3}, {10_000_000, 2}}
	if o.quick {
		plan = []series{{10_000, 2}, {100_000, 2}, {1_000_000, 1}}
	}
	if o.n > 0 {
		repeats := 3
		for _, s := range plan {
			if s.n == o.n {
				repeats = s.repeats
			}
		}
		plan = []series{{o.n, repeats}}
	}
	return plan
}

// measureAll measures what the flags ask for, and saves it after each turn.
func measureAll(o options) (*runs, error) {
	names := []string{memoryKind}
	for _, name := range kindNames() {
		if o.only == "" || slices.Contains(strings.Split(o.only, ","), name) {
			names = append(names, name)
		}
	}
	all := newRuns("go run . " + strings.Join(os.Args[1:], " "))
	began := time.Now()
	for _, s := range o.plan() {
		all.sizes = append(all.sizes, s.n)
		for repeat := range s.repeats {
			if repeat > 0 && time.Since(began) > o.limit {
				break
			}
			for _, name := range names {
				if k, _ := kindOf(name); k.slow && repeat > 0 && s.n > 1_000_000 {
					continue
				}
				r, err := spawn(name, s.n, o.quick)
				if errors.Is(err, errTooSlow) { // has a dash in the table
					fmt.Fprintf(os.Stderr, "%-8s %8d  %v\n", name, s.n, err)
					continue
				}
				if err != nil {
					return nil, fmt.Errorf("%s with %d: %w", name, s.n, err)
				}
				all.add(name, s.n, r)
			}
			if o.json != "" {
				if err := save(o.json, all); err != nil {
					return nil, err
				}
			}
		}
	}
	return all, nil
}

// series is a number of connections and how often all subjects take their turn.
type series struct{ n, repeats int }

// childTime bounds the measurement of one subject.
const childTime = 2 * time.Minute

var errTooSlow = fmt.Errorf("not done in %v", childTime)

// spawn measures one subject in a child process, bounded in time.
func spawn(name string, n int, quick bool) (results, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	args := []string{"-child", name, "-n", fmt.Sprint(n)}
	if quick {
		args = append(args, "-quick")
	}
	cmd := exec.Command(self, args...)
	cmd.Stderr = os.Stderr
	begin := time.Now()
	kill := time.AfterFunc(childTime, func() { cmd.Process.Kill() })
	out, err := cmd.Output()
	if !kill.Stop() {
		return nil, errTooSlow
	}
	if err != nil {
		return nil, err
	}
	var r results
	if err := json.Unmarshal(out, &r); err != nil {
		return nil, err
	}
	fmt.Fprintf(os.Stderr, "%-8s %8d  %5.1f s\n", name, n, time.Since(begin).Seconds())
	runtime.GC()
	return r, nil
}
