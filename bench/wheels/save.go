package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// saved is the file of a measurement, from which its section and charts can be
// drawn again without measuring.
type saved struct {
	Where   string // the machine, the code and the date
	Command string
	Sizes   []int
	Runs    []savedRuns
}

type savedRuns struct {
	Subject     string
	Connections int
	Repeats     []results
}

// save writes all measurements so far.
func save(file string, a *runs) error {
	s := saved{Where: a.where(), Command: a.command, Sizes: a.sizes}
	for _, n := range a.sizes {
		for _, name := range append([]string{memoryKind}, kindNames()...) {
			if v := a.values[runKey{name, n}]; v != nil {
				s.Runs = append(s.Runs, savedRuns{name, n, v})
			}
		}
	}
	b, err := json.MarshalIndent(s, "", " ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return os.WriteFile(file, append(b, '\n'), 0o644)
}

// load reads what save wrote.
func load(file string) (*runs, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var s saved
	if err := json.Unmarshal(b, &s); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if len(s.Sizes) == 0 {
		return nil, fmt.Errorf("%s: holds no measurements", file)
	}
	a := newRuns(s.Command)
	a.sizes = s.Sizes
	a.where = func() string { return s.Where }
	for _, r := range s.Runs {
		a.values[runKey{r.Subject, r.Connections}] = r.Repeats
	}
	return a, nil
}
