package kit

import (
	"fmt"
	"strings"
)

// Page is the text of a section under way, and its pictures.
type Page struct {
	strings.Builder
	pictures map[string]string // SVG, by the names of their files
}

// Printf adds text.
func (p *Page) Printf(format string, args ...any) { fmt.Fprintf(p, format, args...) }

// Picture shows an SVG that stands in the folder of images under a name.
func (p *Page) Picture(name, alt, svg string) {
	p.pictures[name] = svg
	p.Printf("![%s](docs/img/%s)\n", alt, name)
}

// Shell shows the commands behind the section's own.
func (p *Page) Shell(lines ...string) {
	p.Printf("That is:\n\n```sh\n%s\n```\n\n", strings.Join(lines, "\n"))
}

// Table adds one; the rows have the cells of the head.
func (p *Page) Table(head []string, rows [][]string) {
	p.Printf("| %s |\n|%s\n", strings.Join(head, " | "), strings.Repeat("---|", len(head)))
	for _, row := range rows {
		p.Printf("| %s |\n", strings.Join(row, " | "))
	}
	p.WriteString("\n")
}

// Row is a subject of a table.
type Row struct{ Subject, Label string }

// Column is one figure of a table.
type Column struct {
	Title  string
	Name   string // of the figure
	Spread bool   // lowest and highest stand beside the median
	Ratios bool   // so do its ratios, by round: to the floor, and ours to it
}

// Comparison is a table of figures: a row for each subject that was measured.
type Comparison struct {
	Rows    []Row
	Columns []Column
	// Ours and Floor are the subjects of ratios, FloorName the latter's possessive.
	Ours, Floor, FloorName string
}

// Compare adds a table of what was measured at s. A subject that failed has a row that says so.
func (p *Page) Compare(k *Kept, s Step, c Comparison) {
	head := []string{""}
	for _, column := range c.Columns {
		head = append(head, column.Title)
		if column.Ratios {
			head = append(head, "of "+c.FloorName, "Stormwheel's of it")
		}
	}
	var rows [][]string
	for _, r := range c.Rows {
		at := s.Of(r.Subject)
		switch {
		case k.Rounds(at) > 0:
			rows = append(rows, c.row(k, at, r))
		case k.Tried(at):
			row := make([]string, len(head))
			row[0], row[1] = r.Label, "failed: "+k.Problem(at)
			rows = append(rows, row)
		}
	}
	p.Table(head, rows)
}

func (c Comparison) row(k *Kept, at Step, r Row) []string {
	row := []string{r.Label}
	for _, column := range c.Columns {
		sample := k.Sample(at, column.Name)
		switch {
		case sample.N > 0 && !column.Spread:
			row = append(row, Number(sample.Median))
		default:
			row = append(row, sample.String())
		}
		if column.Ratios {
			row = append(row, times(k.Paired(at, at.Of(c.Floor), column.Name, Ratio)), times(k.Paired(at.Of(c.Ours), at, column.Name, Ratio)))
		}
	}
	return row
}

// times is the median of ratios.
func times(s Sample) string {
	if s.N == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2fx", s.Median)
}
