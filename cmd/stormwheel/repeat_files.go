package main

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/stormwheel/stormwheel/bench/result"
)

// repeatFiles are the results of runs that are repeated, each in a file of its own beside that of all: FILE-1.json, ...
type repeatFiles struct {
	files []outputs
	to    []io.Writer
	err   error // of the first that could not be written
}

// openRepeats opens them, before the first run. There are none without a --json file, or for one run.
func (c *BenchCmd) openRepeats() (*repeatFiles, error) {
	r := &repeatFiles{}
	if c.Repeat < 2 || c.JSON == "" || c.JSON == "-" {
		return r, nil
	}
	r.files, r.to = make([]outputs, c.Repeat), make([]io.Writer, c.Repeat)
	for i := range r.files {
		r.to[i] = r.files[i].open("--json", repeatName(c.JSON, i+1))
		if err := r.files[i].err; err != nil {
			return r, err
		}
	}
	return r, nil
}

// repeatName is the file of one run.
func repeatName(path string, number int) string {
	ext := filepath.Ext(path)
	return fmt.Sprintf("%s-%d%s", strings.TrimSuffix(path, ext), number, ext)
}

// write writes the result of a run, from 1, as soon as it is over.
func (r *repeatFiles) write(number int, seen *result.Result) {
	if number > len(r.to) {
		return
	}
	r.err = errors.Join(r.err, seen.WriteJSON(r.to[number-1]), r.files[number-1].close())
}

// abandon leaves what was there of runs that were not made.
func (r *repeatFiles) abandon() {
	for i := range r.files {
		r.files[i].abandon()
	}
}
