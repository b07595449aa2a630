// Package goodput offers servers more clients than they can take, and counts who gets in.
package goodput

import (
	"context"
	"errors"
	"os"
	"slices"
	"time"

	"github.com/stormwheel/stormwheel/bench"
	"github.com/stormwheel/stormwheel/bench/foreign"
	"github.com/stormwheel/stormwheel/bench/lab/kit"
	"github.com/stormwheel/stormwheel/bench/lab/node"
	"github.com/stormwheel/stormwheel/bench/lab/peers"
	"github.com/stormwheel/stormwheel/bench/scenario"
)

// Section is the part of BENCHMARKS.md about goodput.
var Section = kit.Section{Name: "goodput", Title: "Goodput against offered load",
	Code:  []string{"bench", "client", "server", "codec", "internal", "timingwheel"},
	Steps: steps, Measure: measure, Write: write}

// What a server can take is measured first: a few clients, fewer than any queue holds, come at
// once. Then clients come at multiples of that, over and over again until they are in, as
// clients do.
const (
	fewClients = 600
	manyIn     = 0.1 // of the clients are in before
	always     = "always"
)

// duty is what the server runs, and stands still, and what it is offered.
type duty struct {
	name  string
	times []float64 // of what it can take; the first, 0, is when that is measured
}

type effort struct {
	most    int           // clients; a process has 20,000 descriptors
	offered time.Duration // that they come for
	giveUp  time.Duration // after the last has come
	duties  []duty
	knocks  int // of those who are refused
	greys   int // clients of a server that is slow for a while; 0: it is not tried
}

// A server that may always run takes as many as this machine can send.
var (
	all     = []float64{0, 0.1, 0.5, 1, 2, 5, 10}
	efforts = map[string]effort{
		"full": {most: 8000, offered: 2 * time.Second, giveUp: 9 * time.Second, knocks: knockers, greys: 15000,
			duties: []duty{{always, all[:5]}, {"1ms/9ms", all}, {"1ms/99ms", all}}},
		"short": {most: 8000, offered: 2 * time.Second, giveUp: 9 * time.Second, knocks: knockers,
			duties: []duty{{"1ms/99ms", []float64{0, 0.5, 1, 2, 5}}}},
		"tiny": {most: 1000, offered: time.Second, giveUp: 5 * time.Second, knocks: 100, duties: []duty{{"1ms/99ms", []float64{0, 1}}}}}
)

// within is how many clients a server that can take so many a second, and is no worse under overload, has
// in before they are given up, with half as much time again.
func (e effort) within(can float64) int {
	return max(int(can*(e.offered+e.giveUp).Seconds()/1.5), fewClients/2)
}

// kinds are in the order of the tables. Mosquitto is not on every machine.
var kinds = []string{peers.Ours, peers.Blind, peers.Floor, "go-net", "nbio", peers.Mosquitto}

// present is kinds, without Mosquitto where it is missing. It notes why, or which version it is.
func present(k *kit.Kept) []string {
	if why := peers.Absent(peers.Mosquitto); why != "" {
		k.Note(absent, "%s: %s", peers.Label(peers.Mosquitto), why)
		return slices.DeleteFunc(slices.Clone(kinds), func(kind string) bool { return kind == peers.Mosquitto })
	}
	k.Note(peers.Mosquitto, "%s", peers.MosquittoVersion())
	return kinds
}

const absent = "absent"

// aim has a run start a server of a kind, and its clients speak to it.
func aim(cfg *scenario.Config, kind string) error {
	program, err := os.Executable()
	if err != nil {
		return err
	}
	cfg.Spawn, cfg.NodeCommand = 1, []string{program, "serve", kind}
	switch kind {
	case peers.Ours, peers.Blind:
		cfg.NodeArgs = []string{"admit-rate=" + node.Admitted}
	case peers.Mosquitto:
		cfg.Protocol, cfg.Timeout = foreign.MQTT, 0 // its timeout follows from the keepalive
	}
	return nil
}

// steps are offers to all kinds in turn, so that what the machine does meanwhile hits all of
// them. The workload is the duty, the rate a multiple of what the server can take.
func steps(k *kit.Kept) []kit.Step {
	e := efforts[k.Effort.Name]
	here := present(k)
	var all []kit.Step
	for _, d := range e.duties {
		for _, times := range d.times {
			all = append(all, kit.Turns(1, kit.Step{Workload: d.name, Rate: times}, here, nil)...)
		}
	}
	if e.greys > 0 {
		all = append(all, kit.Step{Workload: greyAt, Subject: peers.Floor})
		all = append(all, kit.Turns(1, kit.Step{Workload: grey}, greyKinds, func(kind string, _ int) bool { return slices.Contains(here, kind) })...)
	}
	return append(all, kit.Turns(1, kit.Step{Workload: refusals}, outcomes, nil)...)
}

// measure runs one flood. It ends when all are in: a heartbeat more would tell nothing.
func measure(ctx context.Context, k *kit.Kept, r *kit.Record) error {
	e := efforts[k.Effort.Name]
	switch r.Workload {
	case refusals:
		return measureRefusal(ctx, r, e.knocks)
	case greyAt:
		return measureGreyAt(ctx, r, e.greys)
	case grey:
		return measureGrey(ctx, k, r, e.greys)
	}
	clients, rate := fewClients, 1e5
	if r.Rate > 0 {
		can := k.Sample(kit.Step{Workload: r.Workload, Subject: r.Subject}, "goodput").Median
		if can == 0 {
			return errors.New("nobody knows what it can take")
		}
		rate = r.Rate * can
		clients = min(max(int(rate*e.offered.Seconds()), fewClients/2), e.most, e.within(can))
	}
	slow := r.Workload
	if slow == always {
		slow = ""
	}
	cfg := scenario.Config{Scenario: "storm", Kind: "flood", Fraction: manyIn, Slow: slow,
		Conns: int(float64(clients)/(1-manyIn) + 0.5), Rate: rate, Duration: time.Second, RecoveryTimeout: e.giveUp,
		Heartbeat: 30 * time.Second, Timeout: 75 * time.Second, Seed: 1}
	if err := aim(&cfg, r.Subject); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 3*time.Minute)
	defer cancel()
	res, err := bench.Run(ctx, cfg, bench.View{Watch: func(u bench.Update) {
		if s := u.Status; s != nil && s.Recovery != nil && s.Recovery.T100 != nil {
			cancel()
		}
	}})
	if res == nil || res.Storm == nil {
		return errors.Join(errors.New("no result"), err)
	}
	s := res.Storm
	over := float64(s.Clients)/rate + e.giveUp.Seconds()
	if s.T100S != nil {
		over = *s.T100S
	}
	r.Figures = map[string]float64{"rate": rate, "clients": float64(s.Clients), "back": float64(s.Back), "over_s": over,
		"goodput": float64(s.Back) / over, "lost": 0}
	r.Set("gap_s", s.LongestGapS)
	r.Set("attempts", s.AttemptsPerSuccess)
	if res.Probes != nil {
		r.Figures["lost"] = float64(res.Probes.Lost)
	}
	return nil
}
