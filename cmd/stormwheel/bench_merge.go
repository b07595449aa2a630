package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"

	"github.com/stormwheel/stormwheel/bench/result"
	"github.com/stormwheel/stormwheel/bench/tally"
)

// benchMergeCmd is `stormwheel bench merge A B ...`.
type benchMergeCmd struct {
	Results []string `arg:"" help:"Results that --json wrote, two or more."`

	Threshold  []string `help:"PATH OP NUMBER over the whole, beyond those of the parts; repeatable." placeholder:"EXPR" sep:"none"`
	NoPromises bool     `help:"Do not judge what the parts' scenario promises; the result says so."`
	JSON       string   `name:"json" help:"Write the result here; - is standard output." placeholder:"FILE"`
}

// Help is what --help says below the flags.
func (*benchMergeCmd) Help() string {
	return "Example:\n\n  stormwheel bench merge a.json b.json --json all.json\n" +
		"\nCounts and histograms are added, percentiles are taken from the sums, seconds are those of the clock.\n" +
		"Exit codes as those of a run, 4 if a part was interrupted; 2 when the results are not of one experiment (scenario, schema, protocol, terms, what clients were told), or have the same --seed.\n"
}

// Run merges and judges.
func (c *benchMergeCmd) Run() error {
	var parts []*result.Result
	for _, path := range c.Results {
		r, err := readResult(path)
		if err != nil {
			return usageError{fmt.Errorf("%s: %w", path, err)}
		}
		parts = append(parts, r)
	}
	merged, mergeErr := tally.Merge(parts, c.Threshold, c.NoPromises, os.Args)
	if merged == nil {
		return mergeErr
	}
	var files outputs
	defer files.abandon()
	for _, path := range c.Results {
		files.reads(path)
	}
	var out io.Writer
	switch c.JSON {
	case "":
		out = io.Discard
	case "-":
		out = os.Stdout
	default:
		out = files.open("--json", c.JSON)
	}
	if files.err == nil && c.JSON == "-" && swallows(os.Stdout) {
		files.err = errSwallowed
	}
	if files.err != nil {
		return files.err
	}
	summary := merged.WriteSummary(os.Stderr)
	if errors.Is(summary, syscall.EPIPE) {
		summary = nil // nobody reads it, which must not cost the result
	}
	if err := errors.Join(summary, merged.WriteJSON(out), files.close()); err != nil {
		return err
	}
	return mergeErr
}

func readResult(path string) (*result.Result, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return result.Read(f)
}
