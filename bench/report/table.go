package report

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

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
