package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"github.com/stormwheel/stormwheel/bench"
	"github.com/stormwheel/stormwheel/bench/report"
	"github.com/stormwheel/stormwheel/cmd/stormwheel/internal/live"
)

// benchCmds are the sub-commands of bench. A new one is a file and a line here.
type benchCmds struct {
	Run     BenchCmd        `cmd:"" default:"withargs" help:"Run a scenario; the word run may be left out."`
	Merge   benchMergeCmd   `cmd:"" help:"Make one result of those of several machines."`
	Report  benchReportCmd  `cmd:"" help:"Draw the result of a run that is over."`
	Compare benchCompareCmd `cmd:"" help:"Lay the results of several runs over each other."`
}

// BenchCmd is `stormwheel bench SCENARIO`. A flag that is left out has the default of the
// scenario, so that zero means "not said" here; AfterApply refuses a zero that was said.
type BenchCmd struct {
	Scenario string `arg:"" help:"A scenario, see below, or a scenario file, FILE.yaml."`
	phases   []bench.PhaseSpec

	Target  []string `help:"Servers to aim at, HOST:PORT,...; a name stands for all its addresses." placeholder:"H:P,..."`
	PID     []int    `name:"pid" help:"Processes of the targets on this machine, in their order: memory, CPU and descriptors are read." placeholder:"N,..."`
	Admin   []string `help:"Admin addresses of the targets, in their order: connections, sessions and evictions are read." placeholder:"H:P,..."`
	Spawn   int      `help:"Start this many nodes of this binary and aim at them (demo: 2)." placeholder:"N"`
	NodeArg []string `help:"A flag of the spawned nodes, as in admit-rate=500; repeatable." placeholder:"NAME=VALUE" sep:"none"`

	AuthSecretFile string `type:"path" help:"The file that the targets have as --auth-secret-file: each client brings a token made from it. Spawned nodes get it too." placeholder:"FILE"`

	Protocol     string `help:"What targets speak: stormwheel, tcp-echo or mqtt, which is 3.1.1 (default stormwheel)." placeholder:"P"`
	Username     string `help:"mqtt: user name (default none)." placeholder:"U"`
	PasswordFile string `help:"mqtt: file with the password; a line end at its end does not count (default none)." placeholder:"FILE"`

	IgnoreAlternates bool `help:"Clients keep to the targets, whatever servers name."`

	Place string `help:"Clients over the targets: even or first (default even)." placeholder:"P"`

	Conns    int           `help:"Clients (default 1000; demo: 5000; find-max: up to 10000)." placeholder:"N"`
	Rate     float64       `help:"Connects per second, open loop (default 1000; demo: 900; find-max: 2000, or up to 20000 with --vary rate; storm --kind flood: all within a second)." placeholder:"R"`
	Profile  string        `help:"ramp: linear, step (climbs to --rate in plateaus) or poisson (default linear)." placeholder:"P"`
	Steps    int           `help:"ramp: plateaus of --profile step (default 5)." placeholder:"N"`
	Lifetime time.Duration `help:"churn, soak: mean length of a session (default 10s; soak: 1m)." placeholder:"D"`
	Goal     string        `help:"find-max: PATH OP NUMBER over the result of each trial, as in heartbeat.rtt_ms.p99<50." placeholder:"EXPR"`
	Vary     string        `help:"find-max: conns, up to --conns (default), or rate, up to --rate." placeholder:"WHAT"`
	Duration time.Duration `help:"hold, churn: how long (default 30s, or as a heartbeat needs; soak: 10m; a trial of find-max: 10s); others: the calm after the ramp (default one heartbeat; demo: 3s; of a target: 5s)." placeholder:"D"`

	Heartbeat   time.Duration `help:"Heartbeat of spawned nodes (default 30s; demo: 2s; find-max: 5s), or of the clients of a target." placeholder:"D"`
	Timeout     time.Duration `help:"Timeout of spawned nodes (default 2.5 heartbeats), or of a tcp-echo server (default none)." placeholder:"D"`
	Tick        time.Duration `help:"Tick of spawned nodes (default 250ms)." placeholder:"D"`
	PongTimeout time.Duration `help:"The clients' patience (default 10s)." placeholder:"D"`
	Policy      string        `help:"After a loss: window, full, equal, decorrelated, fixed, exponential (default window)." placeholder:"P"`

	Kind            string        `help:"storm: kill, drain, cut, freeze, blackout, restart, flood or grey." placeholder:"K"`
	RecoveryTimeout time.Duration `help:"storm: how long to wait for all to return (default 1m; demo: 30s)." placeholder:"D"`
	Capacity        float64       `help:"storm: clients per second that the receivers admit, for ideal_s (known for spawned nodes)." placeholder:"R"`
	Cohorts         string        `help:"storm: policies that share the clients, as in full:50%,fixed:50%." placeholder:"P:SHARE,..."`
	Probes          probeShare    `help:"Share of clients that are left alone and measured apart, or none (default 0.02, ten at least of 500)." placeholder:"F"`
	Deadline        time.Duration `help:"halfopen, trickle: of the server (default 5s; for PINGs 10s)." placeholder:"D"`
	Trickle         string        `help:"trickle: what goes out byte by byte, hello or ping (default hello)." placeholder:"FRAME"`
	TrickleInterval time.Duration `help:"trickle: between two bytes (default 200ms)." placeholder:"D"`
	Freeze          time.Duration `help:"storm --kind freeze: how long (default: until every client has noticed, and 5s)." placeholder:"D"`
	Outage          time.Duration `help:"storm --kind blackout: how long no node runs (default 15s); grey: how long they are slow (default 30s)." placeholder:"D"`
	Slow            string        `help:"storm --kind kill, flood, grey (default 1ms/120ms): spawned nodes run for the first of two times and stand still for the second (SIGSTOP), until all are in, or --outage is over, as in 1ms/150ms." placeholder:"RUN/STOP"`
	Fraction        float64       `help:"silent: share of the clients that stop speaking (default 0.1); halfopen, trickle: that do so (default 0.5); storm --kind cut: share of the connections (default: all to the first target); storm --kind flood: share that is in before (default 0.1)." placeholder:"F"`

	Workers workerCount `help:"Processes that share the clients: auto (as many as the descriptors of one ask for) or a number." default:"auto" placeholder:"N"`

	Source         string    `help:"Local addresses, as in 127.0.0.2-127.0.0.50 (default: as many as the ports require)." placeholder:"A-B"`
	Seed           uint64    `help:"Seed of arrivals and choices (default: from the clock)." placeholder:"N"`
	StartAt        startTime `help:"When the first client may come, RFC 3339 or HH:MM:SS, at most 24 h ahead; several machines begin together." placeholder:"TIME"`
	Threshold      []string  `help:"PATH OP NUMBER over the result, as in storm.t99_s<30; beyond what the scenario promises; repeatable." placeholder:"EXPR" sep:"none"`
	NoPromises     bool      `help:"Judge --threshold alone, and not what the scenario promises; the result says so."`
	IOwnThisTarget bool      `name:"i-own-this-target" help:"Allow a target whose address is not loopback."`

	JSON  string `name:"json" help:"Write the result here; - is standard output (demo: out/demo.json)." placeholder:"FILE"`
	CSV   string `name:"csv" help:"Write a row a second here." placeholder:"FILE"`
	HTML  string `name:"html" help:"Write a page with pictures here." placeholder:"FILE"`
	SVG   string `name:"svg" help:"Write the same pictures here, one by one." placeholder:"DIR"`
	NoTui bool   `name:"no-tui" help:"One line a second, also on a terminal."`
	Quiet bool   `help:"Say nothing but errors; --json, --csv and the exit code tell the rest."`
}

// Help is what --help says below the flags.
func (*BenchCmd) Help() string {
	return "Scenarios:\n\n" + bench.Scenarios() +
		"\nExample:\n\n  stormwheel bench storm --kind kill --spawn 2 --conns 8000 --heartbeat 2s --timeout 5s --json -\n" +
		"  stormwheel bench hold --target 127.0.0.1:1883 --protocol mqtt --conns 5000 --heartbeat 10s\n" +
		"\nOn a terminal the run shows itself; q or Ctrl-C ends it early with its result so far, a second Ctrl-C at once.\n" +
		"\nExit codes: 0 pass, 99 a promise or a threshold failed, 4 the numbers do not count (the generator was late, or lacked something),\n" +
		"3 impossible on this machine, 2 usage, 130 interrupted (the partial result is written), 1 anything else.\n"
}

// AfterApply is called by kong when the flags are read.
func (*BenchCmd) AfterApply(parsed *kong.Context) error {
	for _, f := range parsed.Selected().Flags {
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
	// Files are opened before the run: one that cannot be written must not cost a run.
	var files outputs
	defer files.abandon()
	if isScenarioFile(c.Scenario) {
		files.reads(c.Scenario)
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
	pictures := pictureFiles{dir: c.SVG}
	if c.HTML != "" {
		pictures.page = files.open("--html", c.HTML)
	}
	if files.err == nil && c.JSON == "-" && swallows(stdout) {
		files.err = errSwallowed
	}
	if files.err != nil {
		return files.err
	}
	if err := pictures.check(); err != nil {
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
	drawn := pictures.write(report.Run{Name: c.Scenario, Result: result})
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

func (c *BenchCmd) config() bench.Config {
	scenario := c.Scenario
	if isScenarioFile(scenario) {
		scenario = "phases"
	}
	return bench.Config{
		AuthSecretFile: c.AuthSecretFile, Protocol: c.Protocol, Username: c.Username,
		Scenario: scenario, Phases: c.phases, Version: buildVersion(), Command: os.Args,
		Targets: c.Target, PIDs: c.PID, Admins: c.Admin, Spawn: c.Spawn, NodeArgs: c.NodeArg, IgnoreAlternates: c.IgnoreAlternates, Place: c.Place,
		Conns: c.Conns, Rate: c.Rate, Profile: c.Profile, Steps: c.Steps, Lifetime: c.Lifetime, Goal: c.Goal, Vary: c.Vary, Duration: c.Duration,
		Heartbeat: c.Heartbeat, Timeout: c.Timeout, Tick: c.Tick,
		PongTimeout: c.PongTimeout, Policy: c.Policy,
		Kind: c.Kind, Freeze: c.Freeze, Outage: c.Outage, Slow: c.Slow, Cohorts: c.Cohorts, Probes: c.Probes.share,
		Deadline: c.Deadline, Trickle: c.Trickle, TrickleInterval: c.TrickleInterval, RecoveryTimeout: c.RecoveryTimeout, Capacity: c.Capacity, Fraction: c.Fraction,
		Workers: c.Workers.number, Sources: c.Source, Seed: c.Seed, StartAt: c.StartAt.Time, Thresholds: c.Threshold, NoPromises: c.NoPromises, IOwnTheTarget: c.IOwnThisTarget,
	}
}

// workerCount is the number, 0 for auto.
type workerCount struct{ number int }

// UnmarshalText is called by kong.
func (n *workerCount) UnmarshalText(text []byte) error {
	if string(text) == "auto" {
		n.number = 0
		return nil
	}
	count, err := strconv.Atoi(string(text))
	if err != nil || count < 1 {
		return fmt.Errorf("%q is neither auto nor a number above 0", text)
	}
	n.number = count
	return nil
}

// probeShare is the share, -1 for none.
type probeShare struct{ share float64 }

// UnmarshalText is called by kong.
func (p *probeShare) UnmarshalText(text []byte) error {
	if string(text) == "none" {
		p.share = -1
		return nil
	}
	share, err := strconv.ParseFloat(string(text), 64)
	if err != nil || !(share > 0 && share <= 1) {
		return fmt.Errorf("%q is neither none nor a share above 0, up to 1", text)
	}
	p.share = share
	return nil
}

// workerCmd is one of the processes of --workers.
type workerCmd struct{}

func (workerCmd) Run() error { return bench.Work(os.Stdin, os.Stdout) }
