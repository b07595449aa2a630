// Command generator measures the load generator itself: what a simulated client costs in
// memory, how fast clients connect, how late they are. `make bench-generator` runs it.
//
//	generator measure     measure everything, keep the figures, write the section
//	generator report      write the section again from the figures that were kept
//
// The other sub-commands are the processes that a measurement starts. Each says one line of
// JSON, and ends with its standard input, so that none outlives the measurement.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/stormwheel/stormwheel/internal/benchdoc"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "generator:", err)
		os.Exit(1)
	}
}

// parts are what a measurement starts, each in a process of its own.
var parts = map[string]func(args []string) error{
	"node":   node,
	"accept": accept,
	"swarm":  swarm,
	"plain":  plain,
	"bare":   bare,
}

func run(args []string) error {
	if len(args) == 0 {
		return errors.New("usage: generator measure | report, with flags")
	}
	if part, ok := parts[args[0]]; ok {
		go func() {
			_, _ = io.Copy(io.Discard, os.Stdin)
			os.Exit(1)
		}()
		return part(args[1:])
	}
	fs := flag.NewFlagSet(args[0], flag.ContinueOnError)
	size := fs.String("effort", "full", "full: six minutes; tiny: seconds, to try it out")
	keep := fs.String("json", "out/generator.json", "where the figures are kept")
	million := fs.String("million", "out/million.json", "the result of `make million`, if there is one")
	larger := fs.String("million-larger", "out/million-larger.json", "the same of a larger machine, if there is one")
	page := fs.String("md", "BENCHMARKS.md", "file whose section generator is written")
	if err := fs.Parse(args[1:]); err != nil {
		return err
	}
	var r *results
	var err error
	switch args[0] {
	case "measure":
		r, err = measureAll(*size, *keep)
	case "report":
		r, err = readResults(*keep)
	default:
		err = fmt.Errorf("%q is neither measure nor report", args[0])
	}
	if err != nil {
		return err
	}
	text, err := section(r, *million, *larger)
	if err != nil {
		return err
	}
	return benchdoc.Replace(*page, "generator", text)
}

// measureAll runs every measurement. What was measured is kept, whatever comes after it.
func measureAll(size, keep string) (*results, error) {
	e, ok := efforts[size]
	if !ok {
		return nil, fmt.Errorf("--effort: %q is neither full nor tiny", size)
	}
	began := time.Now()
	r := &results{Effort: e}
	for _, measure := range []func(*results) error{measureMemory, measureConnects, measureLateness} {
		if err := measure(r); err != nil {
			return nil, err
		}
		r.Where = benchdoc.Where(began, "bench", "codec", "internal", "server", "timingwheel")
		if err := r.write(keep); err != nil {
			return nil, err
		}
	}
	return r, nil
}

func progress(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }
