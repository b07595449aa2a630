package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/stormwheel/stormwheel/internal/benchdoc"
)

// ours and floorKind are what everything is compared with.
const (
	ours      = "stormwheel"
	floorKind = "gnet"
)

// column is one figure of a table.
type column struct {
	title  string
	name   string // of the figure
	spread bool   // lowest and highest stand beside the median
	ratios bool   // so do its ratios: to bare gnet, and ours to it
}

// table writes a row for each server that was measured at s. A server that failed has a
// row that says so.
func (r *results) table(b *strings.Builder, s step, columns ...column) {
	b.WriteString("| |")
	rule := "|---|"
	for _, c := range columns {
		b.WriteString(" " + c.title + " |")
		rule += "---|"
		if c.ratios {
			b.WriteString(" of bare gnet's | Stormwheel's of it |")
			rule += "---|---|"
		}
	}
	b.WriteString("\n" + rule + "\n")
	own, floor := r.of(s.by(ours)), r.of(s.by(floorKind))
	for _, kind := range r.kinds(s) {
		rounds := r.of(s.by(kind))
		fmt.Fprintf(b, "| %s |", labelOf(kind))
		if len(rounds) == 0 {
			fmt.Fprintf(b, " failed: %s |\n", r.problem(s.by(kind)))
			continue
		}
		for _, c := range columns {
			v := summarise(rounds, c.name)
			switch {
			case v.rounds == 0:
				b.WriteString(" - |")
			case c.spread && v.rounds > 1:
				fmt.Fprintf(b, " %s (%s - %s) |", number(v.median), number(v.low), number(v.high))
			default:
				fmt.Fprintf(b, " %s |", number(v.median))
			}
			if c.ratios {
				fmt.Fprintf(b, " %s | %s |", times(paired(rounds, floor, c.name, ratio)), times(paired(own, rounds, c.name, ratio)))
			}
		}
		b.WriteString("\n")
	}
	b.WriteString("\n")
}

// by is the step for another kind.
func (s step) by(kind string) step {
	s.Kind = kind
	return s
}

// kinds that were measured at s, in the order of the tables.
func (r *results) kinds(s step) []string {
	seen := make(map[string]bool)
	for _, rec := range r.Records {
		if rec.Workload == s.Workload && rec.Conns == s.Conns && rec.Rate == s.Rate {
			seen[rec.Kind] = true
		}
	}
	var all []string
	for _, k := range kinds {
		if seen[k.name] {
			all = append(all, k.name)
		}
		if k.name == ours && seen[openKind] {
			all = append(all, openKind)
		}
	}
	return all
}

func (r *results) problem(s step) string {
	for _, rec := range r.Records {
		if rec.Workload == s.Workload && rec.Kind == s.Kind && rec.Conns == s.Conns && rec.Rate == s.Rate && rec.Problem != "" {
			return strings.ReplaceAll(rec.Problem, "\n", " ")
		}
	}
	return "no figures"
}

func labelOf(kind string) string {
	if kind == openKind {
		return "**Stormwheel**, admission open"
	}
	k, _ := kindOf(kind)
	if kind == ours {
		return "**" + k.label + "**"
	}
	return k.label
}

// times is the median of ratios.
func times(ratios []float64) string {
	if len(ratios) == 0 {
		return "-"
	}
	return strconv.FormatFloat(median(ratios), 'f', 2, 64) + "x"
}

// number has three significant digits, or all before the point.
func number(v float64) string {
	switch {
	case v < 0:
		return "-" + number(-v)
	case v >= 100:
		return benchdoc.Grouped(int(v + 0.5))
	case v >= 10:
		return strconv.FormatFloat(v, 'f', 1, 64)
	case v == float64(int(v)):
		return strconv.Itoa(int(v))
	default:
		return strconv.FormatFloat(v, 'f', 2, 64)
	}
}
