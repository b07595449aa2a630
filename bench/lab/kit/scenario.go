package kit

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/stormwheel/stormwheel/bench/result"
)

// File is where the result of a step stands that is a run of the command.
func (k *Kept) File(s Step) string {
	return filepath.Join(k.place.out(k.Section), fmt.Sprintf("%s-%d.json", s.Subject, s.Round+1))
}

// Stormwheel runs the command and keeps the result of step r in its file. That a promise
// fails, or that the load test was too late to the last of the tries, is a result: others may
// load the machine for a while.
func (k *Kept) Stormwheel(ctx context.Context, r *Record, tries int, args ...string) error {
	file := k.File(r.Step)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	args = append(args[:len(args):len(args)], "--json", file, "--no-tui")
	for try := 1; ; try++ {
		fmt.Fprintln(os.Stderr, "stormwheel", strings.Join(args, " "))
		cmd := exec.CommandContext(ctx, k.place.Binary, args...)
		cmd.Stderr = os.Stderr
		cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // its nodes end with it
		err := cmd.Run()
		var exit *exec.ExitError
		switch {
		case errors.As(err, &exit) && exit.ExitCode() == result.ExitInvalid && try < tries:
			continue
		case errors.As(err, &exit) && (exit.ExitCode() == result.ExitInvalid || exit.ExitCode() == result.ExitThreshold):
			err = nil
		case err != nil:
			return err
		}
		res, err := k.Result(r.Step)
		if err == nil {
			r.Said = string(res.Verdict)
		}
		return err
	}
}

// Result is what a step's run of the command has kept.
func (k *Kept) Result(s Step) (*result.Result, error) { return readResult(k.File(s)) }

// Results are those of a step's rounds.
func (k *Kept) Results(s Step) ([]*result.Result, error) {
	var all []*result.Result
	for _, r := range k.matching(s) {
		if r.Problem != "" {
			continue
		}
		res, err := k.Result(r.Step)
		if err != nil {
			return nil, err
		}
		all = append(all, res)
	}
	return all, nil
}

// Beside is the result of another command, of `make million`; nil if there is none.
func (k *Kept) Beside(file string) (*result.Result, error) {
	res, err := readResult(k.place.out(file))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	return res, err
}

func readResult(file string) (*result.Result, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	res, err := result.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return res, nil
}

// Late is how many results the load test was too late for.
func Late(all []*result.Result) (n int) {
	for _, res := range all {
		if res.Verdict == result.Invalid {
			n++
		}
	}
	return n
}
