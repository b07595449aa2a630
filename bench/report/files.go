package report

import (
	"fmt"
	"os"
	"path/filepath"
)

// WriteSVG writes the pictures of the run, or those that compare several, into dir, which
// is made if it is not there. It gives the files' names.
func WriteSVG(dir string, runs ...Run) ([]string, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	var files []string
	for _, p := range picturesOf(runs) {
		svg, err := p.svg(true)
		if err != nil {
			return files, err
		}
		file := filepath.Join(dir, p.file+".svg")
		if err := replace(file, svg); err != nil {
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

func picturesOf(runs []Run) []picture {
	if len(runs) == 1 {
		return runs[0].pictures()
	}
	return overlays(runs)
}
