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
	"github.com/stormwheel/stormwheel/cmd/stormwheel/internal/live"
)

// benchCmds are the sub-commands of bench. A new one is a file and a line here.
type benchCmds struct {
	Run     BenchCmd        `cmd:"" default:"withargs" help:"Run a scenario; the word run may be left out."`
	Merge   benchMergeCmd   `cmd:"" help:"Make one result of those of several machines."`
	Report  benchReportCmd  `cmd:"" help:"Draw the result of a run that is over, or write it for CI."`
	Judge   benchJudgeCmd   `cmd:"" help:"Judge a run that is over by other thresholds."`
	Compare benchCompareCmd `cmd:"" help:"Lay the results of several runs over each other."`
}

// BenchCmd is `stormwheel bench SCENARIO`. A flag that is left out has the default of the
// scenario, so that zero means "not said" here; AfterApply refuses a zero that was said.
type BenchCmd struct {
	Scenario string `arg:"" help:"A scenario, see below, or a scenario file, FILE.yaml."`

	bench.Config `embed:""`
	PasswordFile string `help:"mqtt: file with the password; a line end at its end does not count (default none)." placeholder:"FILE"`

	Rules []string `help:"Read thresholds, --abort-on and --abort-after from this YAML file; repeatable." placeholder:"FILE" sep:"none"`
	JSON  string   `name:"json" help:"Write the result here; - is standard output (demo: out/demo.json)." placeholder:"FILE"`
	CSV   string   `name:"csv" help:"Write a row a second here." placeholder:"FILE"`
	reportFlags
	NoTui bool `name:"no-tui" help:"One line a second, also on a terminal."`
	Quiet bool `help:"Say nothing but errors; --json, --csv and the exit code tell the rest."`
}

// Help is what --help says below the flags.
func (*BenchCmd) Help() string {
	return "Scenarios:\n\n" + scenario.Help() +
		"\nExample:\n\n  stormwheel bench storm --kind kill --spawn 2 --conns 8000 --heartbeat 2s --timeout 5s --json -\n" +
		"  stormwheel bench hold --target 127.0.0.1:1883 --protocol mqtt --conns 5000 --heartbeat 10s\n" +
		"\nOn a terminal the run shows itself; q or Ctrl-C ends it early with its result so far, a second Ctrl-C at once.\n" +
		"\nExit codes: 0 pass, 99 a promise or a threshold failed, 4 the numbers do not count (the generator was late, or lacked something),\n" +
		"3 impossible on this machine, 2 usage, 130 interrupted (the partial result is written), 1 anything else.\n"
}

// AfterApply is called by kong when the flags are read.
func (*BenchCmd) AfterApply(parsed *kong.Context) error {
	for _, f := range parsed.Selected().Flags {
		if f.Tag.Type != "" { // it has words for its zero
			continue
		}
		switch f.Target.Kind() {
		case reflect.Int, reflect.Int64, reflect.Uint64, reflect.Float64:
			if f.Set && f.Target.IsZero() {
				return fmt.Errorf("--%s: 0 is no choice; leave it out for the default", f.Name)
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
	if c.Scenario == "demo" && c.JSON == "" {
		c.JSON = filepath.Join("out", "demo.json")
	}
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
	// Files are opened before the run: one that cannot be written must not cost a run.
	var files outputs
	defer files.abandon()
	if isScenarioFile(c.Scenario) {
		files.reads(c.Scenario)
	}
	for _, path := range c.Rules {
		files.reads(path)
	}
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

	screen := c.show(&view, stop, stderr)
	defer screen.Close() // also when the run panics
	result, runErr := bench.Run(stop, config, view)
	summary := screen.Close()
	if result == nil {
		return runErr
	}
	if !c.Quiet {
		summary = errors.Join(summary, result.WriteSummary(stderr))
	}
	if errors.Is(summary, syscall.EPIPE) {
		summary = nil // who read the progress has left, and wants no summary
	}
	var written error
	if jsonOut != nil {
		written = result.WriteJSON(jsonOut)
	}
	drawn := reports.write(report.Run{Name: c.Scenario, Result: result})
	if err := errors.Join(summary, written, drawn, files.close()); err != nil {
		return err
	}
	return runErr
}

// show chooses how the run is shown: live where there is a terminal for it, else a line a
// second, or not at all.
func (c *BenchCmd) show(view *bench.View, stop *stopper, stderr *os.File) *live.Screen {
	if c.Quiet {
		return nil
	}
	view.Progress = stderr
	if c.NoTui || c.Scenario == "find-max" { // its runs would begin the screen again and again
		return nil
	}
	screen := live.Open(stderr, stop.stop, stop.kill)
	if screen != nil {
		view.Progress, view.Watch = screen, screen.Watch
		stop.before(screen.Abandon)
	}
	return screen
}

// config is what was said, as package bench takes it.
func (c *BenchCmd) config() bench.Config {
	config := c.Config
	config.Scenario, config.Version, config.Command = c.Scenario, buildVersion(), os.Args
	if isScenarioFile(c.Scenario) {
		config.Scenario = "phases"
	}
	return config
}

// workerCmd is one of the processes of --workers.
type workerCmd struct{}

func (workerCmd) Run() error { return bench.Work(os.Stdin, os.Stdout) }
