package websocket

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/stormwheel/stormwheel/bench/lab/kit"
	"github.com/stormwheel/stormwheel/bench/lab/peers"
)

// plays are the storm: the first of two nodes is killed, whose clients go to the other one at the rate that it
// admits.
func (e effort) plays() []kit.Play {
	admit := strconv.Itoa(e.admit)
	args := fmt.Sprintf("bench storm --kind kill --spawn 2 --place first --transport ws --conns %d --rate %s --heartbeat %ds --timeout %ds --node-arg admit-rate=%s",
		e.storm, admit, e.pings, 3*e.pings, admit)
	return []kit.Play{{Step: kit.Step{Workload: stormed, Subject: peers.OursWS, Size: e.storm}, Args: strings.Fields(args), Rounds: e.storms}}
}

// storms99 are what became of the storms, and how their t99 compares with N/C.
func (e effort) storms99(k *kit.Kept) (rows [][]string, ratios []float64, err error) {
	for _, play := range e.plays() {
		results, err := k.Results(play.Step)
		if err != nil {
			return nil, nil, err
		}
		for _, res := range results {
			s := res.Storm
			if s == nil {
				return nil, nil, fmt.Errorf("%s: it is of no storm", play.Subject)
			}
			if ratio := kit.T99ByIdeal(s); ratio != nil {
				ratios = append(ratios, *ratio)
			}
			rows = append(rows, kit.StormRow(res))
		}
	}
	return rows, ratios, nil
}
