package main

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"strconv"
	"time"
)

// rows are the lines that package bench writes, one a second.
type rows []map[string]float64

func readRows(text []byte) (rows, error) {
	lines, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("the clients' rows: %w", err)
	}
	var all rows
	for i, line := range lines {
		if i == 0 {
			continue
		}
		row := make(map[string]float64)
		for j, field := range line {
			if row[lines[0][j]], err = strconv.ParseFloat(field, 64); err != nil {
				return nil, fmt.Errorf("the clients' rows: %w", err)
			}
		}
		all = append(all, row)
	}
	return all, nil
}

// within are the rows whose whole second lies between two times of the run.
func (r rows) within(from, to time.Duration) rows {
	var some rows
	for i, row := range r {
		began := 0.0
		if i > 0 {
			began = r[i-1]["t_s"]
		}
		if began >= from.Seconds() && row["t_s"] <= to.Seconds() {
			row["span_s"] = row["t_s"] - began
			some = append(some, row)
		}
	}
	return some
}

// mean of a count a row, by the second: a row is seldom exactly as long.
func (r rows) mean(column string) float64 {
	count, seconds := 0.0, 0.0
	for _, row := range r {
		count += row[column]
		seconds += row["span_s"]
	}
	if seconds == 0 {
		return 0
	}
	return count / seconds
}

func (r rows) column(name string) []float64 {
	var all []float64
	for _, row := range r {
		all = append(all, row[name])
	}
	return all
}

func (r rows) median(column string) float64 { return median(r.column(column)) }
