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

// output is a file whose former content stays until the new one is whole, and which is not
// there before: a run that ends without a result, however it ends, must not cost the last
// one, nor leave an empty or a torn one. What is written lies beside it, under a name of this
// process, until close.
type output struct {
	path  string
	rows  bool     // what is written is worth something before it is whole: it goes to path at once
	final string   // the file that path leads to, "" if it is none: a device, a pipe
	file  *os.File // nil: not begun. What is no regular file is open from the start
	err   error    // of the first Write that failed
}

func (o *output) Write(p []byte) (n int, err error) {
	if o.err != nil {
		return 0, o.err
	}
	if o.file == nil {
		o.err = o.begin()
	}
	if o.err == nil {
		n, o.err = o.file.Write(p)
	}
	return n, o.err
}

// begin makes the file beside, with the permissions of the one that it replaces.
func (o *output) begin() (err error) {
	if o.rows {
		o.file, err = os.Create(o.path)
		return err
	}
	o.file, err = os.OpenFile(o.beside(), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if info, statErr := os.Stat(o.final); err == nil && statErr == nil {
		err = o.file.Chmod(info.Mode().Perm())
	}
	return err
}

func (o *output) beside() string { return fmt.Sprintf("%s.part-%d", o.final, os.Getpid()) }

// close puts what was written where it belongs, if it is whole.
func (o *output) close(whole bool) error {
	if o.file == nil {
		return nil
	}
	if o.rows || o.final == "" {
		return o.file.Close()
	}
	var err error
	if whole = whole && o.err == nil; whole {
		err = o.file.Sync() // some disks say only now that they are full
	}
	if err = errors.Join(err, o.file.Close()); err == nil && whole {
		err = os.Rename(o.beside(), o.final)
	}
	if err != nil || !whole {
		_ = os.Remove(o.beside()) // it may be gone
	}
	return err
}

// reads says that a file is read, so that it is not to be written.
func (o *outputs) reads(path string) { o.names = append(o.names, fileName{"an input", path}) }

// open returns the file for a flag, when it is sure that it can be written.
func (o *outputs) open(flag, path string) io.Writer {
	if out := o.add(flag, path); out != nil {
		return out
	}
	return nil
}

// openRows is open for what is worth something before it is whole.
func (o *outputs) openRows(flag, path string) io.Writer {
	if out := o.add(flag, path); out != nil {
		out.rows = true
		return out
	}
	return nil
}

func (o *outputs) add(flag, path string) *output {
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
	o.files = append(o.files, out)
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return out
	}
	out.file = nil
	f.Close()
	if out.final, err = filepath.EvalSymlinks(path); err == nil { // a link stays one
		var probe *os.File
		if probe, err = os.OpenFile(out.beside(), os.O_WRONLY|os.O_CREATE, 0o644); err == nil {
			probe.Close()
			os.Remove(out.beside())
		}
	}
	if errors.Is(missing, fs.ErrNotExist) {
		os.Remove(path)
	}
	if err != nil {
		o.err = fmt.Errorf("%s: no file can be made beside %s: %w", flag, path, err)
		return nil
	}
	return out
}

// errSwallowed says that a result would be lost without a word.
var errSwallowed = errors.New("--json: standard output is closed")

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

// close puts the files where they belong, but those whose writing failed. It may be repeated.
func (o *outputs) close() error { return o.end(true) }

// abandon leaves what was there, unless close was called.
func (o *outputs) abandon() { _ = o.end(false) }

func (o *outputs) end(whole bool) error {
	var err error
	for _, f := range o.files {
		err = errors.Join(err, f.close(whole))
	}
	o.files = nil
	if err != nil {
		return fmt.Errorf("write the result: %w", err)
	}
	return nil
}
