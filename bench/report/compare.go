package report

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/stormwheel/stormwheel/bench"
)

// compared is a figure of several runs, as text.
type compared struct {
	Name, Unit string
	Cells      []string
}

// mainFigures are those that a comparison shows; step is the least difference worth showing.
var mainFigures = []struct {
	name, unit string
	step       float64
	of         func(*bench.Result) *float64
}{
	{"clients at the end", "", 1, func(r *bench.Result) *float64 { return count(r.Conns.End) }},
	{"ramp", "1/s", 1, func(r *bench.Result) *float64 { return r.Connect.RatePerS }},
	{"arrival to WELCOME p99", "ms", .1, func(r *bench.Result) *float64 {
		if r.Connect.IntendedLatencyMs == nil {
			return nil
		}
		return &r.Connect.IntendedLatencyMs.P99
	}},
	{"round trip p50", "ms", .01, rtt(func(p *bench.Percentiles) *float64 { return &p.P50 })},
	{"round trip p99", "ms", .01, rtt(func(p *bench.Percentiles) *float64 { return &p.P99 })},
	{"round trip p99.9", "ms", .01, rtt(func(p *bench.Percentiles) *float64 { return &p.P999 })},
	{"PINGs unanswered", "", 1, func(r *bench.Result) *float64 {
		if r.Old() {
			return nil
		}
		return count(r.Heartbeat.Unanswered)
	}},
	{"false evictions", "", 1, func(r *bench.Result) *float64 { return count(r.Eviction.False) }},
	{"eviction lateness p99", "ms", .1, func(r *bench.Result) *float64 {
		if r.Eviction.LatenessMs == nil {
			return nil
		}
		return &r.Eviction.LatenessMs.P99
	}},
	{"clients hit", "", 1, storm(func(s *bench.Storm) *float64 { return count(s.Clients) })},
	{"clients back", "", 1, storm(func(s *bench.Storm) *float64 { return count(s.Back) })},
	{"ideal", "s", .01, storm(func(s *bench.Storm) *float64 { return s.IdealS })},
	{"t50", "s", .01, storm(func(s *bench.Storm) *float64 { return s.T50S })},
	{"t95", "s", .01, storm(func(s *bench.Storm) *float64 { return s.T95S })},
	{"t99", "s", .01, storm(func(s *bench.Storm) *float64 { return s.T99S })},
	{"t100", "s", .01, storm(func(s *bench.Storm) *float64 { return s.T100S })},
	{"attempts per success", "", .01, storm(func(s *bench.Storm) *float64 { return s.AttemptsPerSuccess })},
	{"busiest 100 ms of attempts", "1/s", 1, storm(func(s *bench.Storm) *float64 { return &s.PeakAttemptsPerS })},
	{"goodput, best second", "1/s", 1, goodput(func(g *bench.Goodput) *float64 { return &g.Best })},
	{"goodput, median", "1/s", 1, goodput(func(g *bench.Goodput) *float64 { return &g.Median })},
	{"longest time without a return", "s", .1, storm(func(s *bench.Storm) *float64 { return s.LongestGapS })},
	{"time lost", "connection-s", 1, storm(func(s *bench.Storm) *float64 { return &s.LostConnectionSeconds })},
	{"generator late p99", "ms", .01, func(r *bench.Result) *float64 {
		if r.Generator.LateMs == nil {
			return nil
		}
		return &r.Generator.LateMs.P99
	}},
}

func rtt(of func(*bench.Percentiles) *float64) func(*bench.Result) *float64 {
	return func(r *bench.Result) *float64 {
		if r.Heartbeat.RTTms == nil {
			return nil
		}
		return of(r.Heartbeat.RTTms)
	}
}

func goodput(of func(*bench.Goodput) *float64) func(*bench.Result) *float64 {
	return storm(func(s *bench.Storm) *float64 {
		if s.GoodputPerS == nil {
			return nil
		}
		return of(s.GoodputPerS)
	})
}

func storm(of func(*bench.Storm) *float64) func(*bench.Result) *float64 {
	return func(r *bench.Result) *float64 {
		if r.Storm == nil {
			return nil
		}
		return of(r.Storm)
	}
}

// compare lists the figures that any of the runs has, with their ratios to the first's.
func compare(runs []Run) []compared {
	rows := []compared{{Name: "verdict"}}
	for _, r := range runs {
		rows[0].Cells = append(rows[0].Cells, string(r.Result.Verdict))
	}
	for _, f := range mainFigures {
		row, any := compared{Name: f.name, Unit: f.unit}, false
		var first *float64
		for i, r := range runs {
			v := f.of(r.Result)
			if i == 0 {
				first = v
			}
			any = any || v != nil
			row.Cells = append(row.Cells, cell(v, first, f.step, i > 0))
		}
		if any {
			rows = append(rows, row)
		}
	}
	return rows
}

func cell(v, first *float64, step float64, ratio bool) string {
	switch {
	case v == nil:
		return "none"
	case !ratio || first == nil || *first == 0:
		return number(*v, step)
	default:
		return fmt.Sprintf("%s (%.2f)", number(*v, step), *v / *first)
	}
}

// WriteTable writes the comparison for people: a figure a line, a column a run.
func WriteTable(w io.Writer, runs ...Run) error {
	rows := [][]string{append([]string{"", ""}, namesOf(runs)...)}
	for _, c := range compare(runs) {
		rows = append(rows, append([]string{c.Name, c.Unit}, c.Cells...))
	}
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	var b strings.Builder
	for _, row := range rows {
		for i, cell := range row {
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if i < 2 {
				b.WriteString(cell + pad + "  ")
			} else {
				b.WriteString(pad + cell + "  ")
			}
		}
		b.WriteString("\n")
	}
	fmt.Fprintf(&b, "In brackets: the ratio to %s.\n", runs[0].Name)
	_, err := io.WriteString(w, b.String())
	return err
}

// Markdown is the same table for a page.
func Markdown(runs ...Run) string {
	var b strings.Builder
	fmt.Fprintf(&b, "| figure | %s |\n|---|%s\n", strings.Join(namesOf(runs), " | "), strings.Repeat("--:|", len(runs)))
	for _, c := range compare(runs) {
		name := c.Name
		if c.Unit != "" {
			name += ", " + c.Unit
		}
		fmt.Fprintf(&b, "| %s | %s |\n", name, strings.Join(c.Cells, " | "))
	}
	return b.String()
}

func namesOf(runs []Run) []string {
	var all []string
	for _, r := range runs {
		all = append(all, r.Name)
	}
	return all
}
