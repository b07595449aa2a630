package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/stormwheel/stormwheel/bench"
	"github.com/stormwheel/stormwheel/bench/report"
	"github.com/stormwheel/stormwheel/bench/scenario"
	"github.com/stormwheel/stormwheel/cmd/stormwheel/internal/exporter"
	"github.com/stormwheel/stormwheel/cmd/stormwheel/internal/live"
)

// benchCmds are the sub-commands of bench. A new one is a file and a line here.
type benchCmds struct {
	Run     BenchCmd        `cmd:"" default:"withargs" help:"Run a scenario, or all that a file says; the word run may be left out."`
	Merge   benchMergeCmd   `cmd:"" help:"Make one result of those of several machines."`
	Report  benchReportCmd  `cmd:"" help:"Draw the result of a run that is over, or write it for CI."`
	Judge   benchJudgeCmd   `cmd:"" help:"Judge a run that is over by other thresholds."`
	Compare benchCompareCmd `cmd:"" help:"Lay the results of several runs over each other."`
}

// BenchCmd is `stormwheel bench SCENARIO`. A flag that is left out has the default of the
// scenario, so that zero means "not said" here; AfterApply refuses a zero that was said.
type BenchCmd struct {
	Scenario string `arg:"" help:"A scenario, see below, or a run file, FILE.yaml: the scenario, and flags under their names."`

	bench.Config `embed:""`
	PasswordFile string `help:"mqtt: file with the password; a line end at its end does not count (default none)." placeholder:"FILE"`

	Rules []string `help:"Read thresholds, --abort-on and --abort-after from this YAML file; repeatable." placeholder:"FILE" sep:"none"`
	JSON  string   `name:"json" help:"Write the result here; - is standard output (demo: out/demo.json)." placeholder:"FILE"`
	CSV   string   `name:"csv" help:"Write a row a second here." placeholder:"FILE"`
	reportFlags
	MetricsListen string `help:"Serve GET /metrics of the running load test here; no authentication, so keep it on loopback (default none)." placeholder:"HOST:PORT"`
	NoTui         bool   `name:"no-tui" help:"One line a second, also on a terminal."`
	Quiet         bool   `help:"Say nothing but errors; --json, --csv and the exit code tell the rest."`
	Print         bool   `help:"Say the command line that makes the same run, without a file, and make none."`

	File  *runFile     `kong:"-"` // nil: there is none
	Flags []*kong.Flag `kong:"-"` // as they were parsed
}

// Help is what --help says below the flags.
func (*BenchCmd) Help() string {
	return "Scenarios:\n\n" + scenario.Help() +
		"\nExample:\n\n  stormwheel bench storm --kind kill --spawn 2 --conns 8000 --heartbeat 2s --timeout 5s --json -\n" +
		"  stormwheel bench hold --target 127.0.0.1:1883 --protocol mqtt --conns 5000 --heartbeat 10s\n" +
		"  stormwheel bench run day.yaml --print\n" +
		"\nOn a terminal the run shows itself; q or Ctrl-C ends it early with its result so far, a second Ctrl-C at once.\n" +
		"\nExit codes: 0 pass, 99 a promise or a threshold failed, 4 the numbers do not count (the generator was late, or lacked something),\n" +
		"3 impossible on this machine, 2 usage, 130 interrupted (the partial result is written), 1 anything else.\n"
}

// BeforeResolve is called by kong when the words are read and the flags have no values yet.
func (c *BenchCmd) BeforeResolve(parsed *kong.Context) error {
	for _, path := range parsed.Path {
		if path.Positional == nil {
			continue
		}
		name := parsed.Value(path).String()
		if !isRunFile(name) {
			continue
		}
		var err error
		if c.File, err = readRunFile(name, parsed.Selected().Flags); err != nil {
			return err
		}
		parsed.AddResolver(kong.ResolverFunc(c.File.resolve))
	}
	return nil
}

// AfterApply is called by kong when the flags are read.
func (c *BenchCmd) AfterApply(parsed *kong.Context) error {
	c.Flags = parsed.Selected().Flags
	for _, f := range c.Flags {
		if f.Tag.Type != "" { // it has words for its zero
			continue
		}
		switch f.Target.Kind() {
		case reflect.Int, reflect.Int64, reflect.Uint64, reflect.Float64:
			if f.Set && f.Target.IsZero() {
				return c.File.place(usageError{fmt.Errorf("--%s: 0 is no choice; leave it out for the default", f.Name)})
			}
		}
	}
	return nil
}

// Run runs the scenario, until stopper has its say.
func (c *BenchCmd) Run() error {
	stop, release := newStopper()
	defer release()
	return c.run(stop, os.Stdout, os.Stderr)
}

func (c *BenchCmd) run(stop *stopper, stdout, stderr *os.File) error {
	config := c.config()
	var err error
	if config.Password, err = c.password(); err != nil {
		return err
	}
	rules, err := readRules(c.Rules)
	if err != nil {
		return err
	}
	rules.addTo(&config)
	if c.Print {
		return c.print(stop, config, stdout)
	}
	if config.Scenario == "demo" && c.JSON == "" {
		c.JSON = filepath.Join("out", "demo.json")
	}
	// Files are opened before the run: one that cannot be written must not cost a run.
	var files outputs
	defer files.abandon()
	c.reads(&files)
	var view bench.View
	var jsonOut io.Writer
	if c.JSON == "-" {
		jsonOut = stdout
	} else if c.JSON != "" {
		jsonOut = files.open("--json", c.JSON)
	}
	if c.CSV != "" {
		view.CSV = files.openRows("--csv", c.CSV)
	}
	reports := c.open(&files)
	if files.err == nil && c.JSON == "-" && swallows(stdout) {
		files.err = errSwallowed
	}
	if err := reports.check(&files); err != nil {
		return err
	}

	repeats, err := c.openRepeats()
	defer repeats.abandon()
	if err != nil {
		return err
	}
	view.Each = repeats.write
	metrics, err := c.exporter(stderr)
	if err != nil {
		return err
	}
	defer metrics.Close()
	screen := c.show(&view, stop, stderr)
	if metrics != nil {
		view.Watch = both(metrics.Watch, view.Watch)
	}
	defer screen.Close() // also when the run panics
	seen, runErr := bench.Run(stop, config, view)
	summary := screen.Close()
	if seen == nil {
		return c.File.place(runErr)
	}
	if !c.Quiet {
		summary = errors.Join(summary, seen.WriteSummary(stderr))
	}
	if errors.Is(summary, syscall.EPIPE) {
		summary = nil // who read the progress has left, and wants no summary
	}
	var written error
	if jsonOut != nil {
		written = seen.WriteJSON(jsonOut)
	}
	drawn := reports.write(report.Run{Name: c.Scenario, Result: seen})
	if err := errors.Join(summary, written, drawn, repeats.err, files.close()); err != nil {
		return err
	}
	return runErr
}

// reads names the files that the run is read from: none of them may be written over.
func (c *BenchCmd) reads(files *outputs) {
	if c.File != nil {
		files.reads(c.File.path)
	}
	for _, path := range c.Rules {
		files.reads(path)
	}
}

// show chooses how the run is shown: live where there is a terminal for it, else a line a
// second, or not at all.
func (c *BenchCmd) show(view *bench.View, stop *stopper, stderr *os.File) *live.Screen {
	if c.Quiet {
		return nil
	}
	view.Progress = stderr
	if c.NoTui || c.scenario() == "find-max" || c.Repeat > 1 || c.Capacity == scenario.SearchCapacity { // their runs would begin the screen again and again
		return nil
	}
	screen := live.Open(stderr, stop.stop, stop.kill)
	if screen != nil {
		view.Progress, view.Watch = screen, screen.Watch
		stop.before(screen.Abandon)
	}
	return screen
}

// exporter serves the run's own metrics; nil: nobody wants them.
func (c *BenchCmd) exporter(stderr io.Writer) (*exporter.Exporter, error) {
	if c.MetricsListen == "" {
		return nil, nil
	}
	metrics, err := exporter.Listen(c.MetricsListen)
	if err == nil && !c.Quiet {
		fmt.Fprintf(stderr, "        * http://%s/metrics has this run while it goes on\n", metrics.Addr())
	}
	return metrics, err
}

// both are told of an update; the second may be nil.
func both(first, second func(bench.Update)) func(bench.Update) {
	if second == nil {
		return first
	}
	return func(u bench.Update) { first(u); second(u) }
}

// config is what was said, as package bench takes it.
func (c *BenchCmd) config() bench.Config {
	config := c.Config
	config.Scenario, config.Version, config.Command = c.scenario(), buildVersion(), os.Args
	return config
}

// scenario is the one that was named, here or in the file.
func (c *BenchCmd) scenario() string {
	if c.File != nil {
		return c.File.scenario
	}
	return c.Scenario
}

// workerCmd is one of the processes of --workers.
type workerCmd struct{}

func (workerCmd) Run() error { return bench.Work(os.Stdin, os.Stdout) }
