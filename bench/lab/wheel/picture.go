package wheel

import (
	"strings"

	"github.com/stormwheel/stormwheel/bench/lab/kit"
)

func fleetGraph(k *kit.Kept) kit.Graph {
	return kit.Graph{Title: "Processor time of a fleet", Note: "a beat every 30 s, timeout 75 s, tick 250 ms; median, lowest to highest",
		X: "connections, logarithmic", Y: "% of a core, logarithmic", Rows: lines(), Steps: fleets(k), Name: "steady", Times: 100}
}

func tickGraph(k *kit.Kept) kit.Graph {
	return kit.Graph{Title: "Processor time of a tick with 1,000 visits", Note: "the same work whatever the number of connections; median, lowest to highest",
		X: "connections, logarithmic", Y: "µs a tick, logarithmic", Rows: lines(), Steps: fleets(k), Name: "flat_us"}
}

// lines are one for each subject.
func lines() (all []kit.Row) {
	for _, one := range kinds {
		all = append(all, kit.Row{Subject: one.name, Label: strings.NewReplacer("*", "", "`", "").Replace(one.text)})
	}
	return all
}

func fleets(k *kit.Kept) (all []kit.Step) {
	for _, s := range plan(k) {
		all = append(all, at("", s.n))
	}
	return all
}
