package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// outputs are the files that a command writes. The first error sticks.
type outputs struct {
	names []fileName // of all that it reads and writes
	files []*output
	err   error
}

// fileName is a file and what it is there for.
type fileName struct{ role, path string }

// output is a file whose former content stays until there is something to replace it, and
// which is not there before: a run that ends without a result, however it ends, must not
// cost the last one, nor leave an empty one.
type output struct {
	path string
	file *os.File // nil: not begun. What is no regular file is open from the start
}

func (o *output) Write(p []byte) (int, error) {
	if o.file == nil {
		f, err := os.Create(o.path)
		if err != nil {
			return 0, err
		}
		o.file = f
	}
	return o.file.Write(p)
}

// reads says that a file is read, so that it is not to be written.
func (o *outputs) reads(path string) { o.names = append(o.names, fileName{"an input", path}) }

// open returns the file for a flag, when it is sure that it can be written.
func (o *outputs) open(flag, path string) io.Writer {
	if o.err != nil {
		return nil
	}
	if path == "-" {
		o.err = usageError{fmt.Errorf("%s: - is no file", flag)}
		return nil
	}
	for _, n := range o.names {
		if same(n.path, path) {
			o.err = usageError{fmt.Errorf("%s: %s is %s already", flag, path, n.role)}
			return nil
		}
	}
	o.names = append(o.names, fileName{"that of " + flag, path})
	if o.err = os.MkdirAll(filepath.Dir(path), 0o755); o.err != nil {
		return nil
	}
	_, missing := os.Lstat(path)
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o644)
	if err != nil {
		o.err = err
		return nil
	}
	out := &output{path: path, file: f}
	if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
		out.file = nil
		f.Close()
		if errors.Is(missing, fs.ErrNotExist) {
			os.Remove(path)
		}
	}
	o.files = append(o.files, out)
	return out
}

// same reports whether two names are of one file. A device may serve both.
func same(a, b string) bool {
	left, leftErr := os.Stat(a)
	right, rightErr := os.Stat(b)
	if leftErr == nil && rightErr == nil {
		return os.SameFile(left, right) && left.Mode().IsRegular()
	}
	absA, errA := filepath.Abs(a)
	absB, errB := filepath.Abs(b)
	return errA == nil && errB == nil && absA == absB
}

// close may be repeated.
func (o *outputs) close() error {
	var err error
	for _, f := range o.files {
		if f.file != nil {
			err = errors.Join(err, f.file.Close())
		}
	}
	o.files = nil
	if err != nil {
		return fmt.Errorf("write the result: %w", err)
	}
	return nil
}
