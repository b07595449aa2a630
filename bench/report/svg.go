package report

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/stormwheel/stormwheel/internal/plot"
)

// WriteSVG writes the pictures of the run, or those that compare several, into dir, which
// is made if it is not there. It gives the files' names.
func WriteSVG(dir string, runs ...Run) ([]string, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	var files []string
	for _, p := range picturesOf(runs) {
		file := filepath.Join(dir, p.file+".svg")
		if err := replace(file, []byte(plot.SVG(p.chart))); err != nil {
			return files, err
		}
		files = append(files, file)
	}
	return files, nil
}

// replace writes a file beside and renames it, so that a full disk does not cost the last one.
func replace(file string, content []byte) error {
	beside := fmt.Sprintf("%s.part-%d", file, os.Getpid())
	err := os.WriteFile(beside, content, 0o644)
	if err == nil {
		err = os.Rename(beside, file)
	}
	if err != nil {
		_ = os.Remove(beside) // it may not be there
	}
	return err
}

// CanWriteSVG makes dir, and finds out whether files can be made in it: before a run, so that
// the run is not lost.
func CanWriteSVG(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	probe, err := os.CreateTemp(dir, ".stormwheel-*")
	if err != nil {
		return fmt.Errorf("%s: no file can be made there: %w", dir, err)
	}
	_ = probe.Close()
	return os.Remove(probe.Name())
}

// Storms is one SVG with what tells policies of reconnecting apart: the way back above the
// attempts that it took, over the same time.
func Storms(runs ...Run) string {
	var both []plot.Picture
	for _, draw := range []func([]Run) plot.Chart{returnOverlay, attemptsOverlay} {
		if p, ok := draw(runs).(plot.Picture); ok {
			both = append(both, p)
		}
	}
	var time plot.Axis
	for _, p := range both {
		if p.X.Max > time.Max {
			time = p.X
		}
	}
	var charts []plot.Chart
	for _, p := range both {
		p.X = time
		charts = append(charts, p)
	}
	return plot.Stack("Storms compared", charts...)
}
