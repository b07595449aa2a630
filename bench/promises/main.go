// Command promises measures what a node promises while clients fall silent by the thousand,
// a node is killed or drained, and enemies come, and writes into BENCHMARKS.md which
// promises were kept. `make bench-promises` runs it.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/stormwheel/stormwheel/internal/benchdoc"
)

func main() {
	bin := flag.String("bin", "bin/stormwheel", "the binary to run")
	out := flag.String("out", "out/promises", "directory for the results")
	page := flag.String("md", "BENCHMARKS.md", "file whose section promises is written")
	flag.Parse()
	if err := run(*bin, *out, *page, full); err != nil {
		fmt.Fprintln(os.Stderr, "promises:", err)
		os.Exit(1)
	}
}

func run(bin, out, page string, s size) error {
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	began := time.Now()
	var silence, storm, drain outcome
	siege := s.siege()
	err := s.each(
		func() (err error) { silence, err = s.silence().run(bin, filepath.Join(out, "silence")); return err },
		func() (err error) { storm, err = s.killing().run(bin, filepath.Join(out, "storm")); return err },
		func() (err error) { drain, err = s.draining().run(bin, filepath.Join(out, "drain")); return err },
		func() error { return siege.run() },
	)
	if err != nil {
		return err
	}
	where := benchdoc.Where(began, "bench", "cmd", "codec", "internal", "server", "timingwheel")
	return benchdoc.Replace(page, "promises", section(s, where, silence, storm, drain, siege))
}

// each runs the experiments, one after the other if their figures are to mean something.
func (s size) each(all ...func() error) error {
	if s.atOnce {
		var running sync.WaitGroup
		errs := make([]error, len(all))
		for i, one := range all {
			running.Go(func() { errs[i] = one() })
		}
		running.Wait()
		return errors.Join(errs...)
	}
	for _, one := range all {
		if err := one(); err != nil {
			return err
		}
	}
	return nil
}
