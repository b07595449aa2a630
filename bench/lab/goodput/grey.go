package goodput

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/stormwheel/stormwheel/bench"
	"github.com/stormwheel/stormwheel/bench/lab/kit"
	"github.com/stormwheel/stormwheel/bench/lab/node"
	"github.com/stormwheel/stormwheel/bench/lab/peers"
	"github.com/stormwheel/stormwheel/bench/scenario"
)

// What becomes of the sessions of a server that is slow for a while, and well again.

// grey is the workload: a server that runs for greyDuty serves a tenth of the heartbeats that it is sent.
const (
	grey     = "grey"
	greyDuty = "1ms/120ms"
	greyFor  = 30 * time.Second
	greyBeat = 2 * time.Second
)

var greyKinds = []string{peers.Ours, peers.Floor}

// measureGrey has all clients come, and the server be slow. It ends when all are back.
func measureGrey(ctx context.Context, r *kit.Record, clients int) error {
	program, err := os.Executable()
	if err != nil {
		return err
	}
	cfg := scenario.Config{Scenario: "storm", Kind: grey, Spawn: 1, Slow: greyDuty, Outage: greyFor, NodeCommand: []string{program, "serve", r.Subject},
		Conns: clients, Rate: 5000, Heartbeat: greyBeat, Timeout: 3 * greyBeat, PongTimeout: 3 * greyBeat, RecoveryTimeout: time.Minute, Seed: 1}
	if r.Subject == peers.Ours {
		cfg.NodeArgs = []string{"admit-rate=" + node.Admitted}
	}
	ctx, cancel := context.WithTimeout(ctx, 3*time.Minute)
	defer cancel()
	res, err := bench.Run(ctx, cfg, bench.View{})
	if res == nil || res.Storm == nil {
		return errors.Join(errors.New("no result"), err)
	}
	s := res.Storm
	r.Figures = map[string]float64{"clients": float64(res.Conns.Target), "kept": float64(res.Conns.Target - s.Clients), "back": float64(s.Back)}
	r.Set("attempts", s.AttemptsPerSuccess)
	if s.T100S != nil && s.OutageS != nil {
		r.Figures["over_s"] = *s.T100S - *s.OutageS
	}
	return nil
}

// writeGrey is the part of the section about it.
func writeGrey(p *kit.Page, k *kit.Kept) {
	at := func(kind string) kit.Step { return kit.Step{Workload: grey, Subject: kind} }
	if k.Rounds(at(peers.Ours)) == 0 {
		return
	}
	p.Printf(`
For %v a server runs for %s, which is a tenth of what its clients' heartbeats need (one in %v, and %v without an answer is a loss), and is well again.
Those who lost their session come back by the clients' own policy.

`, greyFor, spoken(greyDuty), greyBeat, 3*greyBeat)
	var rows [][]string
	for _, kind := range greyKinds {
		if k.Rounds(at(kind)) == 0 {
			continue
		}
		get := func(name string) float64 { return k.Sample(at(kind), name).Median }
		back, attempts := "none was away", "none"
		switch lost := get("clients") - get("kept"); {
		case lost > 0 && get("back") < lost:
			back = fmt.Sprintf("never: %.0f are out", lost-get("back"))
		case lost > 0:
			back, attempts = fmt.Sprintf("%.1f", get("over_s")), fmt.Sprintf("%.1f", get("attempts"))
		}
		rows = append(rows, []string{peers.Label(kind), kit.Count(int(get("clients"))), kit.Count(int(get("kept"))), back, attempts})
	}
	p.Table([]string{"server", "sessions", "kept", "all are back, s after the recovery", "attempts each"}, rows)
	ours := k.Sample(at(peers.Ours), "kept").Median / k.Sample(at(peers.Ours), "clients").Median
	p.Targets("a grey failure", []kit.Target{{What: "sessions kept, of all", AtLeast: new(0.33), Unit: "x", Of: kit.Seen(&ours)}})
}
