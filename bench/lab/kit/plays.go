package kit

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/stormwheel/stormwheel/bench/result"
)

// Play is a run of the command that a section measures, once a round. Its step has a subject.
type Play struct {
	Step
	Args   []string // without the seed, which is the number of the round, from 1
	Rounds int
}

// String is the play for the page.
func (p Play) String() string {
	seeds := "1"
	if p.Rounds > 1 {
		seeds += ".." + strconv.Itoa(p.Rounds)
	}
	return strings.Join(slices.Concat([]string{"stormwheel"}, p.Args, []string{"--seed", seeds}), " ")
}

// Plays are the steps of all of them.
func Plays(plays []Play) (all []Step) {
	for _, p := range plays {
		all = append(all, Turns(p.Rounds, p.Step, []string{p.Subject}, nil)...)
	}
	return all
}

// Play runs the command of the record's step and keeps the result in its file. That a promise
// fails, or that the load test was too late to the last of the tries, is a result: others may
// load the machine for a while. more are flags beside those of the play.
func (k *Kept) Play(ctx context.Context, r *Record, plays []Play, tries int, more ...string) error {
	i := slices.IndexFunc(plays, func(p Play) bool { return p.Subject == r.Subject })
	if i < 0 {
		return fmt.Errorf("nothing is called %q", r.Subject)
	}
	file := k.File(r.Step)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	args := slices.Concat(plays[i].Args, []string{"--seed", strconv.Itoa(r.Round + 1)}, more, []string{"--json", file, "--no-tui"})
	if k.Effort.Name == "tiny" {
		tries = 1 // its figures never count
	}
	for try := 1; ; try++ {
		fmt.Fprintln(os.Stderr, "stormwheel", strings.Join(args, " "))
		cmd := exec.CommandContext(ctx, k.place.Binary, args...)
		cmd.Stderr = os.Stderr
		cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // its nodes end with it
		err := cmd.Run()
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			switch exit.ExitCode() {
			case result.ExitInvalid:
				if try < tries {
					continue
				}
				err = nil
			case result.ExitThreshold:
				err = nil
			}
		}
		if err != nil {
			return err
		}
		res, err := readResult(file)
		if err == nil {
			r.Said = string(res.Verdict)
		}
		return err
	}
}

// File is where the result of a step stands that is a play's.
func (k *Kept) File(s Step) string {
	return filepath.Join(k.place.out(k.Section), fmt.Sprintf("%s-%d.json", s.Subject, s.Round+1))
}

// Results are those of a step's rounds.
func (k *Kept) Results(s Step) ([]*result.Result, error) {
	var all []*result.Result
	for _, r := range k.matching(s) {
		if r.Problem != "" {
			continue
		}
		res, err := readResult(k.File(r.Step))
		if err != nil {
			return nil, err
		}
		all = append(all, res)
	}
	return all, nil
}

// Beside are the results of another command, of `make million`, whose files match a pattern, by when they began.
func (k *Kept) Beside(pattern string) (all []*result.Result, err error) {
	files, err := filepath.Glob(k.place.out(pattern))
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		res, err := readResult(file)
		if err != nil {
			return nil, err
		}
		all = append(all, res)
	}
	slices.SortStableFunc(all, func(a, b *result.Result) int { return a.Started.Compare(b.Started) })
	return all, nil
}

// Text is what another command left in a file that is no result; empty if there is none.
func (k *Kept) Text(name string) (string, error) {
	text, err := os.ReadFile(k.place.out(name))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return string(text), err
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

// Binary is the command that is measured.
func (k *Kept) Binary() string { return k.place.Binary }
