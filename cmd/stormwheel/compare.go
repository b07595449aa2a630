package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/stormwheel/stormwheel/bench/report"
	"github.com/stormwheel/stormwheel/bench/result"
)

// benchCompareCmd is `stormwheel bench compare`.
type benchCompareCmd struct {
	Files []string `arg:"" help:"Results that --json wrote, two or more; ratios are to the first."`

	pictureFlags
	Markdown string `help:"Write the table as Markdown here, for a pull request." placeholder:"FILE"`
}

// Help is what --help says below the flags.
func (*benchCompareCmd) Help() string {
	return "Example:\n\n  stormwheel bench compare out/window.json out/full.json --html out/policies.html\n" +
		"\nIn square brackets: where a figure might as well have come out, by its seconds (docs/BENCH.md says how). Below the table: what may be compared, and what not.\n"
}

func (c *benchCompareCmd) Run() error {
	if len(c.Files) < 2 {
		return usageError{errors.New("bench compare: one result alone compares with nothing; name two or more")}
	}
	runs, err := report.ReadAll(c.Files)
	if err != nil {
		return usageError{err}
	}
	for i, run := range runs {
		if run.Result.Old() {
			fmt.Fprintf(os.Stderr, "stormwheel: warning: %s is of %s: its PINGs without an answer are not counted, and its other figures may mean something else than those of %s\n",
				c.Files[i], run.Result.Schema, result.Schema)
		}
	}
	var files outputs
	defer files.abandon()
	for _, path := range c.Files {
		files.reads(path)
	}
	out := reportFlags{pictureFlags: c.pictureFlags, Markdown: c.Markdown}.open(&files)
	if err := out.check(&files); err != nil {
		return err
	}
	if err := report.WriteTable(os.Stdout, runs...); err != nil {
		return err
	}
	return errors.Join(out.write(runs...), files.close())
}
