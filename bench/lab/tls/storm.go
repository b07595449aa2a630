package tls

import (
	"fmt"
	"strings"

	"github.com/stormwheel/stormwheel/bench/lab/kit"
)

// Storms by TLS: the first of two nodes is killed, whose clients go to the other one at the rate that it
// admits, which is such that all of them use less than the machine has.
var ways = []struct {
	name, flags string
	admit       int // clients a second
}{
	{"full handshakes", "", 1000},
	{"resumed", " --tls-resume", 1200},
}

func (e effort) storms() (all []kit.Play) {
	for _, h := range ways[:e.ways] {
		args := fmt.Sprintf("bench storm --kind kill --spawn 2 --place first --transport tls --insecure%s --conns %d --rate %d --heartbeat %ds --timeout %ds --node-arg admit-rate=%d",
			h.flags, e.storm, h.admit, e.beat, 3*e.beat, h.admit)
		all = append(all, kit.Play{Step: kit.Step{Workload: stormed, Subject: h.name, Size: e.storm}, Args: strings.Fields(args), Rounds: 1})
	}
	return all
}

// stormFigures are what became of a storm, for the page.
func (e effort) stormFigures(k *kit.Kept) (rows [][]string, targets []kit.Target, err error) {
	for _, play := range e.storms() {
		results, err := k.Results(play.Step)
		if err != nil {
			return nil, nil, err
		}
		for _, res := range results {
			s := res.Storm
			if s == nil {
				return nil, nil, fmt.Errorf("%s: it is of no storm", play.Subject)
			}
			rows = append(rows, append([]string{play.Subject}, kit.StormRow(res)...))
			targets = append(targets, kit.Target{What: "storm, " + play.Subject + ": t99, by N/C", AtMost: new(mostStorm), Unit: "x", Of: kit.Seen(kit.T99ByIdeal(s))})
		}
	}
	return rows, targets, nil
}
