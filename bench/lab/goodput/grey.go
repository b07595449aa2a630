package goodput

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/stormwheel/stormwheel/bench"
	"github.com/stormwheel/stormwheel/bench/lab/kit"
	"github.com/stormwheel/stormwheel/bench/lab/peers"
	"github.com/stormwheel/stormwheel/bench/result"
	"github.com/stormwheel/stormwheel/bench/scenario"
)

// What becomes of the sessions of a server that is slow for a while, and well again.

// grey is the workload. How often a server must run to serve a tenth of the heartbeats that it is sent is another
// matter on each machine: greyAt finds it, by how many of them the floor answers each time that it may run.
const (
	grey      = "grey"
	greyAt    = "grey slice"
	greyRun   = time.Millisecond
	greyTrial = "1ms/999ms" // so seldom that there are always more heartbeats than it can answer
	greyFor   = 30 * time.Second
	trialFor  = 6 * time.Second
	greyBeat  = 2 * time.Second
	greyServe = 0.1 // of the heartbeats
)

var greyKinds = []string{peers.Ours, peers.Floor, peers.Mosquitto}

// greyStorm has all clients come, and a server be slow for so long.
func greyStorm(kind, duty string, clients int, slow time.Duration) (cfg scenario.Config, err error) {
	cfg = scenario.Config{Scenario: "storm", Kind: grey, Slow: duty, Outage: slow,
		Conns: clients, Rate: 5000, Heartbeat: greyBeat, Timeout: 3 * greyBeat, PongTimeout: 3 * greyBeat, RecoveryTimeout: time.Minute, Seed: 1}
	return cfg, aim(&cfg, kind)
}

// measureGreyAt counts the answers of whole seconds in which the floor was slow.
func measureGreyAt(ctx context.Context, r *kit.Record, clients int) error {
	cfg, err := greyStorm(r.Subject, greyTrial, clients, trialFor)
	if err != nil {
		return err
	}
	res, err := play(ctx, cfg)
	if err != nil {
		return err
	}
	slow := res.Detail.StormAtS
	if slow == nil {
		return errors.New("it was never slow")
	}
	answered, seconds := 0, 0.0
	for _, s := range res.Detail.Seconds {
		if s.T-s.Span >= *slow && s.T <= *slow+trialFor.Seconds() {
			answered, seconds = answered+s.Pongs, seconds+s.Span
		}
	}
	if answered == 0 {
		return errors.New("nobody was answered")
	}
	each := float64(answered) / seconds // it ran once a second
	need := float64(clients) / greyBeat.Seconds() * greyServe
	r.Figures = map[string]float64{"answers": each, "stop_ms": max(1, math.Round(each/need*1e3)-float64(greyRun.Milliseconds()))}
	return nil
}

// greyDuty is what that comes to; empty: nobody knows.
func greyDuty(k *kit.Kept) string {
	stop := k.Sample(kit.Step{Workload: greyAt, Subject: peers.Floor}, "stop_ms").Median
	if stop == 0 {
		return ""
	}
	return fmt.Sprintf("%v/%.0fms", greyRun, stop)
}

// measureGrey has all clients come, and the server be slow. It ends when all are back.
func measureGrey(ctx context.Context, k *kit.Kept, r *kit.Record, clients int) error {
	duty := greyDuty(k)
	if duty == "" {
		return fmt.Errorf("nobody knows how slow it is to be: %s of %s was not measured", greyAt, peers.Floor)
	}
	cfg, err := greyStorm(r.Subject, duty, clients, greyFor)
	if err != nil {
		return err
	}
	res, err := play(ctx, cfg)
	if err != nil {
		return err
	}
	s := res.Storm
	r.Figures = map[string]float64{"clients": float64(res.Conns.Target), "kept": float64(res.Conns.Target - s.Clients), "back": float64(s.Back)}
	r.Set("attempts", s.AttemptsPerSuccess)
	if s.T100S != nil && s.OutageS != nil {
		r.Figures["over_s"] = *s.T100S - *s.OutageS
	}
	return nil
}

func play(ctx context.Context, cfg scenario.Config) (*result.Result, error) {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Minute)
	defer cancel()
	res, err := bench.Run(ctx, cfg, bench.View{})
	if res == nil || res.Storm == nil {
		return nil, errors.Join(errors.New("no result"), err)
	}
	return res, nil
}

// writeGrey is the part of the section about it.
func writeGrey(p *kit.Page, k *kit.Kept) {
	at := func(kind string) kit.Step { return kit.Step{Workload: grey, Subject: kind} }
	if k.Rounds(at(peers.Ours)) == 0 {
		return
	}
	p.Printf(`
For %v a server runs for %s, and is well again: that serves a tenth of its clients' heartbeats (one in %v; bare gnet answered %.0f
of them in each such moment when it ran once a second). %v without an answer is a loss, and a server that evicts does so after as long; Mosquitto after
%v, as MQTT has it. Those who lost their session come back by the clients' own policy.

`, greyFor, spoken(greyDuty(k)), greyBeat, k.Sample(kit.Step{Workload: greyAt, Subject: peers.Floor}, "answers").Median,
		3*greyBeat, greyBeat*3/2)
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
