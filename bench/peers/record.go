package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/stormwheel/stormwheel/bench"
)

// figures are what one measurement gave, by name. One that it could not give is absent.
type figures map[string]float64

// generator notes whether the clients were punctual enough for their figures to count, and
// what they cost beside the server.
func (f figures) generator(r *bench.Result) {
	if late := r.Generator.LateMs; late != nil {
		f["generator_p99"] = late.P99
	}
	if r.Generator.CPUS != nil && r.WallS > 0 {
		f["generator_cores"] = *r.Generator.CPUS / r.WallS
	}
}

// record is one measurement of one server.
type record struct {
	step
	Figures figures `json:"figures,omitempty"`
	Problem string  `json:"problem,omitempty"` // why there are no figures
}

// results are a whole run, as they are kept.
type results struct {
	Schema  string   `json:"schema"`
	Command string   `json:"command"`
	Where   string   `json:"where"`
	Effort  effort   `json:"effort"`
	Netty   string   `json:"netty"`   // its version, which depends on the machine
	Absent  []string `json:"absent"`  // what could not run here, and why
	Skipped []string `json:"skipped"` // counts that are too many here, and why
	Records []record `json:"records"`
}

const schema = "stormwheel.peers/v1"

func (r *results) write(path string) error {
	text, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o644)
}

func readResults(path string) (*results, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	r := new(results)
	if err := json.Unmarshal(text, r); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if r.Schema != schema {
		return nil, fmt.Errorf("%s: schema is %q, want %q", path, r.Schema, schema)
	}
	return r, nil
}

// of are the figures of one kind in one workload, by round; rounds that failed are absent.
func (r *results) of(want step) map[int]figures {
	all := make(map[int]figures)
	for _, rec := range r.Records {
		if rec.Workload == want.Workload && rec.Kind == want.Kind && rec.Conns == want.Conns && rec.Rate == want.Rate && rec.Figures != nil {
			all[rec.Round] = rec.Figures
		}
	}
	return all
}

func (r *results) failures() (n int) {
	for _, rec := range r.Records {
		if rec.Problem != "" {
			n++
		}
	}
	return n
}
