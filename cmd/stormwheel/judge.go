package main

import (
	"errors"
	"io"
	"os"
	"slices"
	"syscall"

	"github.com/stormwheel/stormwheel/bench/report"
	"github.com/stormwheel/stormwheel/bench/result"
)

// benchJudgeCmd is `stormwheel bench judge RESULT`: other thresholds for a run that is over.
type benchJudgeCmd struct {
	File string `arg:"" help:"A result that --json wrote."`

	Threshold  []string `help:"PATH OP NUMBER, or PATH[SPAN] OP NUMBER, in place of those that the run was asked for; repeatable." placeholder:"EXPR" sep:"none"`
	Rules      []string `help:"Read thresholds from this YAML file; repeatable." placeholder:"FILE" sep:"none"`
	NoPromises bool     `help:"Do not judge what the scenario promises; the result says so."`
	JSON       string   `name:"json" help:"Write the result here, judged anew; - is standard output." placeholder:"FILE"`
	reportFlags
}

// Help is what --help says below the flags.
func (*benchJudgeCmd) Help() string {
	return "Example:\n\n  stormwheel bench judge out/hold.json --threshold 'heartbeat.rtt_ms.p99[steady]<20' --junit out/hold.xml\n" +
		"\nThe promises of the scenario are judged again, and what is asked for here; without --threshold and --rules, what the run was asked for.\n" +
		"Exit codes as those of a run, 4 if it was interrupted; 2 also for a span that the run did not have.\n"
}

// Run judges and writes.
func (c *benchJudgeCmd) Run() error {
	rules, err := readRules(c.Rules)
	if err != nil {
		return err
	}
	run, err := report.Read(c.File)
	if err != nil {
		return usageError{err}
	}
	judged := run.Result
	verdict := judged.Rejudge(slices.Concat(c.Threshold, rules.Thresholds), c.NoPromises || rules.NoPromises)
	if code := result.ExitCode(verdict); code == result.ExitUsage || code == result.ExitOther {
		return verdict
	}
	if judged.Interrupted && result.ExitCode(verdict) == result.ExitInterrupted { // nobody interrupts this
		verdict = &result.ExitError{Code: result.ExitInvalid, Err: errors.New("invalid: the run was interrupted; its figures cover what ran")}
	}
	var files outputs
	defer files.abandon()
	for _, path := range append([]string{c.File}, c.Rules...) {
		files.reads(path)
	}
	json, err := jsonOutput(&files, c.JSON)
	if err != nil {
		return err
	}
	reports := c.open(&files)
	if err := reports.check(&files); err != nil {
		return err
	}
	summary := judged.WriteSummary(os.Stderr)
	if errors.Is(summary, syscall.EPIPE) {
		summary = nil // nobody reads it, which must not cost the result
	}
	if err := errors.Join(summary, judged.WriteJSON(json), reports.write(run), files.close()); err != nil {
		return err
	}
	return verdict
}

// jsonOutput is where --json leads.
func jsonOutput(files *outputs, path string) (io.Writer, error) {
	switch path {
	case "":
		return io.Discard, nil
	case "-":
		if swallows(os.Stdout) {
			return nil, errSwallowed
		}
		return os.Stdout, nil
	}
	return files.open("--json", path), files.err
}
