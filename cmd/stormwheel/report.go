package main

import (
	"errors"

	"github.com/stormwheel/stormwheel/bench/report"
)

// benchReportCmd is `stormwheel bench report`: the pictures of a run that is over.
type benchReportCmd struct {
	File string `arg:"" help:"A result that --json wrote."`
	HTML string `name:"html" help:"Write a page with pictures here." placeholder:"FILE"`
	SVG  string `name:"svg" help:"Write the same pictures here, one by one." placeholder:"DIR"`
}

// Help is what --help says below the flags.
func (*benchReportCmd) Help() string {
	return "Example:\n\n  stormwheel bench report out/demo.json --html out/demo.html\n"
}

func (c *benchReportCmd) Run() error {
	if c.HTML == "" && c.SVG == "" {
		return usageError{errors.New("bench report: say where to: --html FILE or --svg DIR")}
	}
	run, err := report.Read(c.File)
	if err != nil {
		return usageError{err}
	}
	return writePictures(c.HTML, c.SVG, []string{c.File}, nil, run)
}
