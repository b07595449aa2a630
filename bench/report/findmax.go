package report

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/stormwheel/stormwheel/bench/result"
	"github.com/stormwheel/stormwheel/internal/plot"
)

// knee is what became of the goal as the load grew.
func knee(r Run) plot.Chart {
	f := r.Result.FindMax
	if f == nil {
		return nil
	}
	goal, err := result.ParseThreshold(f.Goal)
	if err != nil {
		return nil
	}
	var all, held, missed, doubted []plot.Point
	for _, t := range f.Trials {
		if t.Actual == nil {
			continue
		}
		at := plot.At(t.Load, *t.Actual)
		all = append(all, at)
		switch t.Verdict {
		case result.Pass:
			held = append(held, at)
		case result.Fail:
			missed = append(missed, at)
		default:
			doubted = append(doubted, at)
		}
	}
	if len(all) == 0 {
		return nil
	}
	slices.SortFunc(held, func(a, b plot.Point) int { return cmp.Compare(a.X, b.X) })
	what, limit := goal.Parts()
	most := 0.0
	for _, at := range all {
		most = max(most, at.X)
	}
	p := plot.Picture{Title: "The goal as the load grows",
		Note: fmt.Sprintf("%s holds up to %s; a dot a trial", f.Goal, plot.Number(f.Best, 1)),
		X:    plot.FromZero(map[string]string{"conns": "clients", "rate": "connects per second"}[f.Vary], 0, most),
		Y:    plot.FromZero(what+unit(what), 0, max(mostLikely(all, limit), limit))}
	beyond := 0
	for _, at := range all {
		if at.Y > p.Y.Max {
			beyond++
		}
	}
	if beyond > 0 {
		p.Note += fmt.Sprintf("; %d beyond the top, drawn there", beyond)
	}
	p.Layers = append(p.Layers,
		plot.Line{Label: "goal " + strconv.FormatFloat(limit, 'g', 6, 64), Colour: plot.Ink, Dash: plot.Dashes[1], Points: []plot.Point{plot.At(0, limit), plot.At(p.X.Max, limit)}},
		plot.Line{Label: "held", Points: held, Dots: true})
	for _, one := range []struct {
		label  string
		colour int
		points []plot.Point
	}{{"missed", 1, missed}, {"the generator was late", 2, doubted}} {
		if len(one.points) > 0 {
			p.Layers = append(p.Layers, plot.Dots{Label: one.label, Colour: one.colour, Points: one.points})
		}
	}
	return p
}

// mostLikely is the greatest figure, unless it is so far beyond the goal that the rest would
// lie on the axis; such a one is drawn at the top.
func mostLikely(all []plot.Point, limit float64) float64 {
	top := 0.0
	for _, at := range all {
		top = max(top, at.Y)
	}
	if limit > 0 {
		top = min(top, 4*limit)
	}
	return top
}

// unit is told by the name of a figure.
func unit(path string) string {
	switch {
	case strings.Contains(path, "_ms"):
		return ", ms"
	case strings.HasSuffix(path, "_bytes"):
		return ", bytes"
	case strings.HasSuffix(path, "_per_s"):
		return ", 1/s"
	case strings.HasSuffix(path, "_s"):
		return ", s"
	default:
		return ""
	}
}
