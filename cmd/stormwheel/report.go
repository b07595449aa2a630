package main

import (
	"errors"

	"github.com/stormwheel/stormwheel/bench/report"
)

// benchReportCmd is `stormwheel bench report`: a run that is over, written in other ways.
type benchReportCmd struct {
	File string `arg:"" help:"A result that --json wrote."`

	reportFlags
}

// Help is what --help says below the flags.
func (*benchReportCmd) Help() string {
	return "Example:\n\n  stormwheel bench report out/demo.json --html out/demo.html\n" +
		"  stormwheel bench report out/demo.json --junit out/demo.xml --markdown out/demo.md\n"
}

func (c *benchReportCmd) Run() error {
	if c.none() {
		return usageError{errors.New("bench report: say where to: --html FILE, --svg DIR, --junit FILE, --markdown FILE or --openmetrics FILE")}
	}
	run, err := report.Read(c.File)
	if err != nil {
		return usageError{err}
	}
	var files outputs
	defer files.abandon()
	files.reads(c.File)
	out := c.open(&files)
	if err := out.check(&files); err != nil {
		return err
	}
	return errors.Join(out.write(run), files.close())
}
