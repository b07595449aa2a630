package main

import (
	"io"

	"github.com/stormwheel/stormwheel/bench/report"
)

// pictureFlags are the flags of all that draws.
type pictureFlags struct {
	HTML string `name:"html" help:"Write a page with pictures here." placeholder:"FILE"`
	SVG  string `name:"svg" help:"Write the same pictures here, one by one." placeholder:"DIR"`
}

// reportFlags are what a run can be written as, beside JSON.
type reportFlags struct {
	pictureFlags
	JUnit       string `name:"junit" help:"Write the verdict here as JUnit's XML, a case for each threshold." placeholder:"FILE"`
	Markdown    string `help:"Write the verdict and the figures here as Markdown, for a pull request." placeholder:"FILE"`
	OpenMetrics string `name:"openmetrics" help:"Write the figures here as OpenMetrics' text." placeholder:"FILE"`
}

// none: nothing is to be written.
func (f reportFlags) none() bool { return f == reportFlags{} }

// open opens the files, before the run that they are of.
func (f reportFlags) open(files *outputs) reportFiles {
	r := reportFiles{dir: f.SVG}
	one := func(write func(io.Writer, report.Run) error) func(io.Writer, []report.Run) error {
		return func(w io.Writer, runs []report.Run) error { return write(w, runs[0]) }
	}
	for _, kind := range []struct {
		flag, path string
		write      func(io.Writer, []report.Run) error
	}{
		{"--html", f.HTML, func(w io.Writer, runs []report.Run) error { return report.WriteHTML(w, runs...) }},
		{"--junit", f.JUnit, one(report.WriteJUnit)},
		{"--markdown", f.Markdown, func(w io.Writer, runs []report.Run) error { return report.WriteMarkdown(w, runs...) }},
		{"--openmetrics", f.OpenMetrics, one(report.WriteOpenMetrics)},
	} {
		if kind.path == "" {
			continue
		}
		if w := files.open(kind.flag, kind.path); w != nil {
			r.files = append(r.files, reportFile{w, kind.write})
		}
	}
	return r
}

// reportFiles are the open files.
type reportFiles struct {
	files []reportFile
	dir   string // of the pictures; empty: none
}

type reportFile struct {
	to    io.Writer
	write func(io.Writer, []report.Run) error
}

// check finds out whether all can be written: before a run, not after it.
func (r reportFiles) check(files *outputs) error {
	if files.err != nil || r.dir == "" {
		return files.err
	}
	return report.CanWriteSVG(r.dir)
}

func (r reportFiles) write(runs ...report.Run) error {
	for _, f := range r.files {
		if err := f.write(f.to, runs); err != nil {
			return err
		}
	}
	if r.dir == "" {
		return nil
	}
	_, err := report.WriteSVG(r.dir, runs...)
	return err
}
