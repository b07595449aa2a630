// Command stormlab kills a node once for each policy of reconnecting, against the same
// admission rate, and writes what came of it into BENCHMARKS.md. `make storm-lab` runs it.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/stormwheel/stormwheel/bench/report"
	"github.com/stormwheel/stormwheel/bench/result"
	"github.com/stormwheel/stormwheel/internal/benchdoc"
)

// policies begin with ours; ratios are to it.
var policies = []string{"window", "full", "equal", "decorrelated", "fixed", "exponential"}

// storm is the same for each: half of the clients lose their node, and wait in front of
// one that admits 125 a second.
var storm = []string{"bench", "storm", "--kind", "kill", "--spawn", "2", "--conns", "1000", "--heartbeat", "2s", "--timeout", "5s",
	"--node-arg", "admit-rate=125", "--recovery-timeout", "40s", "--seed", "1"}

func main() {
	bin := flag.String("bin", "bin/stormwheel", "the binary to run")
	out := flag.String("out", "out/storm-lab", "directory for the results")
	page := flag.String("md", "BENCHMARKS.md", "file whose section storm-lab is written")
	svg := flag.String("svg", "docs/img/storm-lab.svg", "file for the picture")
	flag.Parse()
	if err := run(*bin, *out, *page, *svg); err != nil {
		fmt.Fprintln(os.Stderr, "stormlab:", err)
		os.Exit(1)
	}
}

func run(bin, out, page, svg string) error {
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	began := time.Now()
	var files []string
	for _, policy := range policies {
		file := filepath.Join(out, policy+".json")
		if err := one(bin, policy, file); err != nil {
			return fmt.Errorf("policy %s: %w", policy, err)
		}
		files = append(files, file)
	}
	where := benchdoc.Where(began, "bench", "cmd", "codec", "internal", "server", "timingwheel")
	runs, err := report.ReadAll(files)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(svg), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(svg, []byte(report.Storms(runs...)), 0o644); err != nil {
		return err
	}
	return benchdoc.Replace(page, "storm-lab", section(runs, where, svg))
}

// tries is how often a storm is repeated while the generator is too late for its figures to
// count: others may load the machine for a while.
const tries = 3

// one runs the storm with a policy. That a threshold failed, or that the generator was late
// to the last, is a result: the table shows it.
func one(bin, policy, file string) error {
	for try := 1; ; try++ {
		cmd := exec.Command(bin, append(storm[:len(storm):len(storm)], "--policy", policy, "--json", file, "--no-tui")...)
		cmd.Stderr = os.Stderr
		err := cmd.Run()
		var exit *exec.ExitError
		switch {
		case !errors.As(err, &exit):
			return err
		case exit.ExitCode() == result.ExitThreshold, exit.ExitCode() == result.ExitInvalid && try == tries:
			return nil
		case exit.ExitCode() != result.ExitInvalid:
			return err
		}
	}
}

func section(runs []report.Run, where, svg string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "## Storms: policies of reconnecting\n\n`make storm-lab`, that is, with each policy:\n\n```sh\nstormwheel %s --policy POLICY\n```\n\n%s\n\n",
		strings.Join(storm, " "), where)
	if s := runs[0].Result.Storm; s != nil && s.IdealS != nil {
		fmt.Fprintf(&b, "A node of %d clients is killed (t0 is the SIGKILL); the other admits what would take %.2f s, the ideal. It keeps half a second's worth of unused slots, so that clients that come at once, as they do without a window, can be faster by that. ", s.Clients, *s.IdealS)
	}
	fmt.Fprintf(&b, "In brackets: the ratio to %s. A verdict is of the promises of `storm` (docs/BENCH.md). One run each: small differences are chance.\n\n%s\n![The way back and the attempts, by policy](%s)\n",
		runs[0].Name, report.Markdown(runs...), filepath.ToSlash(svg))
	if invalid := invalid(runs); invalid != "" {
		fmt.Fprintf(&b, "\nThe generator was too late for the figures of %s to count.\n", invalid)
	}
	return b.String()
}

func invalid(runs []report.Run) string {
	var names []string
	for _, r := range runs {
		if r.Result.Verdict == result.Invalid {
			names = append(names, r.Name)
		}
	}
	return strings.Join(names, ", ")
}
