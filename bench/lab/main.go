// Command lab measures the sections of BENCHMARKS.md, keeps what it measured in out/, and
// writes the sections from that. The targets of make call it; by hand:
//
//	go -C bench/lab run . run peers wheel --effort short
//	go -C bench/lab run . write peers
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/stormwheel/stormwheel/bench/lab/generator"
	"github.com/stormwheel/stormwheel/bench/lab/goodput"
	"github.com/stormwheel/stormwheel/bench/lab/kit"
	"github.com/stormwheel/stormwheel/bench/lab/large"
	"github.com/stormwheel/stormwheel/bench/lab/node"
	"github.com/stormwheel/stormwheel/bench/lab/overload"
	"github.com/stormwheel/stormwheel/bench/lab/peers"
	"github.com/stormwheel/stormwheel/bench/lab/policies"
	"github.com/stormwheel/stormwheel/bench/lab/promises"
	"github.com/stormwheel/stormwheel/bench/lab/wheel"
)

// sections are those of BENCHMARKS.md. A new one is a folder and a word here.
var sections = []kit.Section{wheel.Section, policies.Section, generator.Section, promises.Section, node.Section,
	large.Section, overload.Section, goodput.Section}

type command struct {
	Run    runCmd      `cmd:"" help:"Measure sections, keep their figures in out/, and write them."`
	Write  writeCmd    `cmd:"" help:"Write sections again from the figures that are kept."`
	Check  checkCmd    `cmd:"" help:"A minute: are the budgets kept?"`
	Serve  peers.Serve `cmd:"" help:"Run one of the servers that are compared."`
	Part   partCmd     `cmd:"" hidden:"" help:"Measure one subject; run starts it."`
	Worker workerCmd   `cmd:"" hidden:"" help:"Hold a share of the clients; run starts it."`
}

// place is where sections are read and written.
type place struct {
	Out    string `default:"out" help:"Folder of the kept figures."`
	Page   string `default:"BENCHMARKS.md" help:"File with the sections."`
	Images string `default:"docs/img" help:"Folder of the pictures."`
	Binary string `default:"bin/stormwheel" help:"The command that some sections run."`
	Commit string `help:"The commit to name, where git cannot tell."`
}

type runCmd struct {
	Sections  []string `arg:"" help:"Which: ${sections}."`
	Effort    string   `default:"full" enum:"tiny,short,full" help:"How much: seconds to try it out, some minutes, or all (${enum})."`
	Rounds    int      `help:"Rounds of each measurement, instead of the section's own."`
	Size      int      `help:"Connections of large and wheel, instead of their own."`
	Subjects  []string `help:"Only these, as stormwheel,gnet."`
	Workloads []string `help:"Only these, as idle,beat."`
	Command   string   `help:"The command that the section names; default: this one."`
	place
}

// Run measures, and writes what it measured.
func (c *runCmd) Run(ctx context.Context) error {
	chosen, err := named(c.Sections)
	if err != nil {
		return err
	}
	if c.Rounds < 0 || c.Size < 0 {
		return fmt.Errorf("--rounds and --size must not be negative")
	}
	e := kit.Effort{Name: c.Effort, Rounds: c.Rounds, Size: c.Size, Subjects: c.Subjects, Workloads: c.Workloads}
	for _, s := range chosen {
		k, err := kit.Run(ctx, kit.Place(c.place), s, e, c.Command, os.Stderr)
		if err != nil {
			return err
		}
		if err := kit.Write(s, k); err != nil {
			return err
		}
	}
	return nil
}

type writeCmd struct {
	Sections []string `arg:"" help:"Which: ${sections}."`
	place
}

// Run writes what was kept.
func (c *writeCmd) Run() error {
	chosen, err := named(c.Sections)
	if err != nil {
		return err
	}
	for _, s := range chosen {
		k, err := kit.Load(kit.Place(c.place), s.Name)
		if err != nil {
			return err
		}
		if err := kit.Write(s, k); err != nil {
			return err
		}
	}
	return nil
}

func named(names []string) ([]kit.Section, error) {
	var all []kit.Section
	for _, name := range names {
		i := slices.IndexFunc(sections, func(s kit.Section) bool { return s.Name == name })
		if i < 0 {
			return nil, fmt.Errorf("no section %q; there are %s", name, sectionNames())
		}
		all = append(all, sections[i])
	}
	return all, nil
}

func sectionNames() string {
	var all []string
	for _, s := range sections {
		all = append(all, s.Name)
	}
	return strings.Join(all, ", ")
}

type checkCmd struct{ node.Budgets }

// Run checks.
func (c *checkCmd) Run(ctx context.Context) error { return c.Budgets.Run(ctx, os.Stdout) }

type partCmd struct {
	Name string `arg:""`
	Arg  string `arg:"" help:"JSON."`
}

// Run measures.
func (c *partCmd) Run() error { return kit.RunPart(sections, c.Name, c.Arg) }

type workerCmd struct{}

// Run holds clients until its orders end.
func (workerCmd) Run() error { return kit.RunWorker() }

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "lab:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	var cmd command
	app, err := kong.New(&cmd, kong.Name("lab"), kong.Description("The laboratory that writes BENCHMARKS.md."),
		kong.Vars{"sections": sectionNames()}, kong.ConfigureHelp(kong.HelpOptions{Compact: true}))
	if err != nil {
		return err
	}
	chosen, err := app.Parse(args)
	if err != nil {
		return err
	}
	if cmd.Run.Command == "" {
		cmd.Run.Command = "go -C bench/lab run . " + strings.Join(args, " ")
	}
	ctx, stop := context.Background(), func() {}
	if name := chosen.Selected().Name; name != "serve" && name != "part" && name != "worker" {
		ctx, stop = signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
		toRoot()
	}
	defer stop()
	chosen.BindTo(ctx, (*context.Context)(nil))
	return chosen.Run()
}

// toRoot goes to the root of the repository, which all paths count from; where there is none,
// as on a machine that only measures, they count from here.
func toRoot() {
	dir, err := os.Getwd()
	for err == nil && dir != filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "BENCHMARKS.md")); err == nil {
			_ = os.Chdir(dir)
			return
		}
		dir = filepath.Dir(dir)
	}
}
