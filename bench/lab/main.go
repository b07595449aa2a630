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
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/stormwheel/stormwheel/bench/fleet"
	"github.com/stormwheel/stormwheel/bench/lab/cluster"
	"github.com/stormwheel/stormwheel/bench/lab/fanout"
	"github.com/stormwheel/stormwheel/bench/lab/generator"
	"github.com/stormwheel/stormwheel/bench/lab/goodput"
	"github.com/stormwheel/stormwheel/bench/lab/heartbeats"
	"github.com/stormwheel/stormwheel/bench/lab/kit"
	"github.com/stormwheel/stormwheel/bench/lab/large"
	"github.com/stormwheel/stormwheel/bench/lab/messages"
	"github.com/stormwheel/stormwheel/bench/lab/node"
	"github.com/stormwheel/stormwheel/bench/lab/overload"
	"github.com/stormwheel/stormwheel/bench/lab/peers"
	"github.com/stormwheel/stormwheel/bench/lab/policies"
	"github.com/stormwheel/stormwheel/bench/lab/posts"
	"github.com/stormwheel/stormwheel/bench/lab/promises"
	"github.com/stormwheel/stormwheel/bench/lab/tls"
	"github.com/stormwheel/stormwheel/bench/lab/websocket"
	"github.com/stormwheel/stormwheel/bench/lab/wheel"
)

// sections are those of BENCHMARKS.md, and that of docs/HEARTBEATS.md. A new one is a folder and a word here.
var sections = []kit.Section{wheel.Section, policies.Section, generator.Section, promises.Section, node.Section,
	large.Section, overload.Section, goodput.Section, posts.Section, fanout.Section, messages.Section, cluster.Section, websocket.Section, tls.Section, heartbeats.Section}

type command struct {
	Run    runCmd       `cmd:"" help:"Measure sections, keep their figures in out/, and write them."`
	Write  writeCmd     `cmd:"" help:"Write sections again from the figures that are kept."`
	Check  node.Budgets `cmd:"" help:"A minute: are the budgets kept?"`
	Serve  peers.Serve  `cmd:"" help:"Run one of the servers that are compared."`
	Part   partCmd      `cmd:"" hidden:"" help:"Measure one subject; run starts it."`
	Worker workerCmd    `cmd:"" hidden:"" help:"Hold a share of the clients; run starts it."`
}

// chosen are sections by name, which kong has checked.
type chosen struct {
	Sections []string `arg:"" enum:"${sections}" help:"Which: ${enum}."`
}

func (c chosen) each(do func(kit.Section) error) error {
	for _, name := range c.Sections {
		if err := do(section(name)); err != nil {
			return err
		}
	}
	return nil
}

// section is the one of a name; nobody's is empty.
func section(name string) kit.Section {
	for _, s := range sections {
		if s.Name == name {
			return s
		}
	}
	return kit.Section{Name: name}
}

type runCmd struct {
	chosen
	kit.Effort
	Command string `help:"The command that the section names; default: this one."`
	kit.Place
}

// Run measures, and writes what it measured.
func (c *runCmd) Run(ctx context.Context) error {
	if c.Rounds < 0 || c.Size < 0 {
		return fmt.Errorf("--rounds and --size must not be negative")
	}
	return c.each(func(s kit.Section) error {
		k, err := kit.Run(ctx, c.Place, s, c.Effort, c.Command, os.Stderr)
		if err != nil {
			return err
		}
		return kit.Write(s, k)
	})
}

type writeCmd struct {
	chosen
	kit.Place
}

// Run writes what was kept.
func (c *writeCmd) Run() error {
	return c.each(func(s kit.Section) error {
		k, err := kit.Load(c.Place, s.Name)
		if err != nil {
			return err
		}
		return kit.Write(s, k)
	})
}

type partCmd struct {
	Section string `arg:""`
	Task    string `arg:"" help:"JSON."`
}

// Run measures.
func (c *partCmd) Run() error { return kit.RunAlone(section(c.Section), c.Task) }

type workerCmd struct{}

// Run holds clients until its orders end.
func (workerCmd) Run() error { return fleet.Work(os.Stdin, os.Stdout) }

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "lab:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	var cmd command
	var names []string
	for _, s := range sections {
		names = append(names, s.Name)
	}
	app, err := kong.New(&cmd, kong.Name("lab"), kong.Description("The laboratory that writes BENCHMARKS.md."),
		kong.Vars{"sections": strings.Join(names, ",")}, kong.ConfigureHelp(kong.HelpOptions{Compact: true}))
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
