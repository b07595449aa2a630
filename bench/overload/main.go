// Command overload runs storms beyond what nodes can take, and after which nobody is left for
// a while, holds each against its targets, and writes what came of it into BENCHMARKS.md.
// `make bench-overload` runs it.
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

	"github.com/stormwheel/stormwheel/bench/result"
	"github.com/stormwheel/stormwheel/internal/benchdoc"
)

func main() {
	bin := flag.String("bin", "bin/stormwheel", "the binary to run")
	out := flag.String("out", "out/overload", "directory for the results")
	page := flag.String("md", "BENCHMARKS.md", "file whose section overload is written")
	quick := flag.Bool("quick", false, "a tenth of the clients: whether it works, not how well")
	fromFiles := flag.Bool("from-files", false, "write the section from the results that are there")
	flag.Parse()
	if err := run(*bin, *out, *page, *quick, *fromFiles); err != nil {
		fmt.Fprintln(os.Stderr, "overload:", err)
		os.Exit(1)
	}
}

func run(bin, out, page string, quick, fromFiles bool) error {
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	share := 1
	if quick {
		share = 10
	}
	began := time.Now()
	var results []*result.Result
	for _, s := range storms {
		file := filepath.Join(out, s.file+".json")
		if !fromFiles {
			if err := one(bin, s.args(share), file); err != nil {
				return fmt.Errorf("%s: %w", s.name, err)
			}
		}
		r, err := read(file)
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		if r.Storm == nil {
			return fmt.Errorf("%s: it is of no storm", file)
		}
		results = append(results, r)
	}
	where := benchdoc.Where(began, "bench", "client", "cmd", "codec", "internal", "server", "timingwheel")
	return benchdoc.Replace(page, "overload", section(share, results, where))
}

func read(file string) (*result.Result, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return result.Read(f)
}

// one runs a storm. That a promise fails, or that the load test is too late, is a result: the
// section says so.
func one(bin string, args []string, file string) error {
	fmt.Fprintln(os.Stderr, "stormwheel", strings.Join(args, " "))
	cmd := exec.Command(bin, append(args[:len(args):len(args)], "--json", file, "--no-tui")...)
	cmd.Stderr = os.Stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) && (exit.ExitCode() == result.ExitThreshold || exit.ExitCode() == result.ExitInvalid) {
		return nil
	}
	return err
}
