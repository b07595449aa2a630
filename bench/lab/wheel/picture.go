package wheel

import (
	"strings"

	"github.com/stormwheel/stormwheel/bench/lab/kit"
	"github.com/stormwheel/stormwheel/internal/plot"
)

func fleetPicture(k *kit.Kept) string {
	return kit.Lines("Processor time of a fleet", "a beat every 30 s, timeout 75 s, tick 250 ms; median, lowest to highest",
		"connections, logarithmic", "% of a core, logarithmic", linesOf(k, "steady", 100))
}

func tickPicture(k *kit.Kept) string {
	return kit.Lines("Processor time of a tick with 1,000 visits", "the same work whatever the number of connections; median, lowest to highest",
		"connections, logarithmic", "µs a tick, logarithmic", linesOf(k, "flat_us", 1))
}

// linesOf has a line for each subject, over the connections; those without the figure are empty.
func linesOf(k *kit.Kept, key string, scale float64) []plot.Line {
	var lines []plot.Line
	for _, one := range kinds {
		if one.text == "" {
			continue
		}
		l := plot.Line{Label: strings.NewReplacer("*", "", "`", "").Replace(one.text)}
		for _, s := range plan(k) {
			if f := k.Sample(at(one.name, s.n), key).Times(scale); f.Median > 0 {
				l.Points = append(l.Points, kit.PointOf(float64(s.n), f))
			}
		}
		lines = append(lines, l)
	}
	return lines
}
