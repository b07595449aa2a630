package report

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/stormwheel/stormwheel/bench"
)

// knee is what became of the goal as the load grew.
func knee(r Run) (picture, bool) {
	f := r.Result.FindMax
	if f == nil {
		return picture{}, false
	}
	goal, err := bench.ParseThreshold(f.Goal)
	if err != nil {
		return picture{}, false
	}
	var all, held, missed, doubted []point
	for _, t := range f.Trials {
		if t.Actual == nil {
			continue
		}
		at := point{t.Load, *t.Actual}
		all = append(all, at)
		switch t.Verdict {
		case bench.Pass:
			held = append(held, at)
		case bench.Fail:
			missed = append(missed, at)
		default:
			doubted = append(doubted, at)
		}
	}
	if len(all) == 0 {
		return picture{}, false
	}
	slices.SortFunc(held, func(a, b point) int { return int(a.x - b.x) })
	what, limit := goal.Parts()
	most := 0.0
	for _, at := range all {
		most = max(most, at.x)
	}
	p := picture{file: "find-max", title: "The goal as the load grows",
		note: fmt.Sprintf("%s holds up to %s; a dot a trial", f.Goal, number(f.Best, 1)),
		x:    fromZero(map[string]string{"conns": "clients", "rate": "connects per second"}[f.Vary], 0, most),
		y:    fromZero(what+unit(what), 0, max(mostLikely(all, limit), limit))}
	beyond := 0
	for _, at := range all {
		if at.y > p.y.max {
			beyond++
		}
	}
	if beyond > 0 {
		p.note += fmt.Sprintf("; %d beyond the top, drawn there", beyond)
	}
	p.layers = append(p.layers,
		line{label: "goal " + strconv.FormatFloat(limit, 'g', 6, 64), colour: ink, dash: dashes[1], points: []point{{0, limit}, {p.x.max, limit}}},
		line{label: "held", points: held, dots: true})
	for _, one := range []struct {
		label  string
		colour int
		points []point
	}{{"missed", 1, missed}, {"the generator was late", 2, doubted}} {
		if len(one.points) > 0 {
			p.layers = append(p.layers, scatter{label: one.label, colour: one.colour, points: one.points})
		}
	}
	return p, true
}

// mostLikely is the greatest figure, unless it is so far beyond the goal that the rest would
// lie on the axis; such a one is drawn at the top.
func mostLikely(all []point, limit float64) float64 {
	top := 0.0
	for _, at := range all {
		top = max(top, at.y)
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
