package report

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/stormwheel/stormwheel/bench/result"
)

// Run is one finished run. Name tells it from others in a comparison.
type Run struct {
	Name   string
	Result *result.Result
}

// Read reads a result that `stormwheel bench --json` wrote. The error is one sentence with
// the file's name.
func Read(file string) (Run, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return Run{}, err
	}
	result, err := result.Parse(text)
	if err != nil {
		return Run{}, fmt.Errorf("%s: %w", file, err)
	}
	return Run{Name: strings.TrimSuffix(filepath.Base(file), ".json"), Result: result}, nil
}

// ReadAll reads several, and gives them names that differ: the policies of their storms if
// these do, else the files' names.
func ReadAll(files []string) ([]Run, error) {
	var runs []Run
	for _, file := range files {
		run, err := Read(file)
		if err != nil {
			return nil, err
		}
		runs = append(runs, run)
	}
	if byPolicy := names(runs, policyOf); byPolicy != nil {
		rename(runs, byPolicy)
	} else if names(runs, func(r Run) string { return r.Name }) == nil {
		rename(runs, files)
	}
	return runs, nil
}

func policyOf(r Run) string {
	if r.Result.Storm == nil {
		return ""
	}
	return r.Result.Storm.Policy
}

// names is what name gives each run; nil unless all are there and all differ.
func names(runs []Run, name func(Run) string) []string {
	var all []string
	seen := map[string]bool{"": true}
	for _, r := range runs {
		n := name(r)
		if seen[n] {
			return nil
		}
		seen[n] = true
		all = append(all, n)
	}
	return all
}

func rename(runs []Run, names []string) {
	for i := range runs {
		runs[i].Name = names[i]
	}
}
