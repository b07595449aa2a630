package wheel

import (
	"strings"

	"github.com/stormwheel/stormwheel/bench/lab/kit"
	"github.com/stormwheel/stormwheel/internal/benchdoc"
)

func fleetPicture(k *kit.Kept) string {
	c := benchdoc.Lines{
		Title: "Processor time of a fleet", Sub: "a beat every 30 s, timeout 75 s, tick 250 ms; median, lowest to highest",
		XUnit: "connections, logarithmic", YUnit: "% of a core, logarithmic",
	}
	for _, one := range kinds {
		if one.text != "" {
			c.Lines = append(c.Lines, lineOf(k, one, "steady", 100))
		}
	}
	return c.SVG()
}

func tickPicture(k *kit.Kept) string {
	c := benchdoc.Lines{
		Title: "Processor time of a tick with 1,000 visits", Sub: "the same work whatever the number of connections; median, lowest to highest",
		XUnit: "connections, logarithmic", YUnit: "µs a tick, logarithmic",
	}
	for _, one := range kinds {
		if one.text != "" && (one.lazy || one.name == "sweep") {
			c.Lines = append(c.Lines, lineOf(k, one, "flat_us", 1))
		}
	}
	return c.SVG()
}

func lineOf(k *kit.Kept, one kind, key string, scale float64) benchdoc.Line {
	l := benchdoc.Line{Label: strings.NewReplacer("*", "", "`", "").Replace(one.text)}
	for _, s := range plan(k) {
		if f := k.Sample(at(one.name, s.n), key).Times(scale); f.Median > 0 {
			l.Points = append(l.Points, benchdoc.Point{X: float64(s.n), Y: f.Median, Low: f.Low, High: f.High})
		}
	}
	return l
}
