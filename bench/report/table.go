package report

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/stormwheel/stormwheel/bench/result"
)

// WriteTable writes the comparison for people: a figure a line, a column a run.
func WriteTable(w io.Writer, runs ...Run) error {
	rows := [][]string{append([]string{"", ""}, namesOf(runs)...)}
	all := compare(runs)
	for _, c := range all {
		cells := slices.Clone(c.Cells)
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i] + " " + c.Interval(i))
		}
		rows = append(rows, append([]string{c.Name, c.Unit}, cells...))
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
	fmt.Fprintf(&b, "In brackets: the ratio to %s.\n%s\n", runs[0].Name, strings.Join(remarks(runs, all), "\n"))
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

// remarks are what may be compared, and how sure it is.
func remarks(runs []Run, rows []compared) []string {
	var all []*result.Result
	for _, r := range runs {
		all = append(all, r.Result)
	}
	sentences := result.Comparable(namesOf(runs), all)
	if slices.ContainsFunc(rows, func(c compared) bool { return strings.Join(c.Intervals, "") != "" }) {
		return append(sentences, "In square brackets: where the figure, and the ratio, would lie in 95 of 100 runs if seconds were all that chance decides. "+
			"* marks a ratio that would be above 1, or below, in 99 of 100. How runs differ from each other only repeated runs tell.")
	}
	return append(sentences, fmt.Sprintf("No intervals: they need %d seconds of each run, with their times.", fewest))
}

func namesOf(runs []Run) []string {
	var all []string
	for _, r := range runs {
		all = append(all, r.Name)
	}
	return all
}
