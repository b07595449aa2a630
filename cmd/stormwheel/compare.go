package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/stormwheel/stormwheel/bench/report"
	"github.com/stormwheel/stormwheel/bench/result"
)

// benchCompareCmd is `stormwheel bench compare`.
type benchCompareCmd struct {
	Files []string `arg:"" help:"Results that --json wrote, two or more; ratios are to the first."`
	HTML  string   `name:"html" help:"Write a page with pictures here." placeholder:"FILE"`
	SVG   string   `name:"svg" help:"Write the same pictures here, one by one." placeholder:"DIR"`
}

// Help is what --help says below the flags.
func (*benchCompareCmd) Help() string {
	return "Example:\n\n  stormwheel bench compare out/window.json out/full.json --html out/policies.html\n"
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
	table := func() error { return report.WriteTable(os.Stdout, runs...) }
	return writePictures(c.HTML, c.SVG, c.Files, table, runs...)
}

// writePictures draws runs that were read from inputs. It calls first, if any, when it is
// sure that there are files to write to.
func writePictures(page, dir string, inputs []string, first func() error, runs ...report.Run) error {
	var files outputs
	defer files.abandon()
	for _, path := range inputs {
		files.reads(path)
	}
	pictures := pictureFiles{dir: dir}
	if page != "" {
		pictures.page = files.open("--html", page)
	}
	if files.err != nil {
		return files.err
	}
	if err := pictures.check(); err != nil {
		return err
	}
	if first != nil {
		if err := first(); err != nil {
			return err
		}
	}
	return errors.Join(pictures.write(runs...), files.close())
}

// pictureFiles are where --html and --svg lead.
type pictureFiles struct {
	page io.Writer // nil: none
	dir  string    // empty: none
}

// check finds out whether the pictures can be written: before a run, not after it.
func (p pictureFiles) check() error {
	if p.dir == "" {
		return nil
	}
	return report.CanWriteSVG(p.dir)
}

func (p pictureFiles) write(runs ...report.Run) error {
	if p.page != nil {
		if err := report.WriteHTML(p.page, runs...); err != nil {
			return err
		}
	}
	if p.dir == "" {
		return nil
	}
	_, err := report.WriteSVG(p.dir, runs...)
	return err
}
