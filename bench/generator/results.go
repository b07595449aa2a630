package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
)

// results are the figures of a measurement, repeat by repeat.
type results struct {
	Where  string
	Effort effort

	// Memory is by kind of client, Connects by way of making them.
	Memory   map[string][]memory
	Connects map[string][]outcome
	Late     []outcome
}

// memory is one repeat: a process of many clients and one of few.
type memory struct{ Many, Few outcome }

// perConn is the slope between the two, in bytes: what each client adds.
func (m memory) perConn(bytes func(outcome) int64) float64 {
	return float64(bytes(m.Many)-bytes(m.Few)) / float64(m.Many.Ready-m.Few.Ready)
}

func collected(o outcome) int64 { return o.Collected }
func asItWas(o outcome) int64   { return o.RSS }

func (r *results) write(file string) error {
	text, err := json.MarshalIndent(r, "", "\t")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return os.WriteFile(file, append(text, '\n'), 0o644)
}

func readResults(file string) (*results, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	r := &results{}
	return r, json.Unmarshal(text, r)
}

// spread is a figure over the repeats.
type spread struct{ median, low, high float64 }

func spreadOf[T any](repeats []T, figure func(T) float64) spread {
	var values []float64
	for _, r := range repeats {
		values = append(values, figure(r))
	}
	if len(values) == 0 {
		return spread{}
	}
	return spread{median(values), slices.Min(values), slices.Max(values)}
}

// median of values; 0 of none.
func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(values))
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}
