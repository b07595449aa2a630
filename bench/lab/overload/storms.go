package overload

import (
	"fmt"
	"math"
	"strings"

	"github.com/stormwheel/stormwheel/bench/lab/kit"
	"github.com/stormwheel/stormwheel/bench/result"
)

// storm is one run, and what it should come to.
type storm struct {
	file    string
	name    string
	about   string
	conns   int
	flags   string // beside the clients
	targets func(s *result.Storm, r *result.Result) []kit.Target
}

// What the clients are told, and what the nodes admit.
const (
	leisurely = " --heartbeat 20s --timeout 60s --node-arg admit-rate=20000"
	brisk     = " --heartbeat 2s --timeout 6s --node-arg admit-rate=1000"
)

// storms have a seed, so that a run can be repeated.
var storms = []storm{
	{"flood-full", "flood, the whole processor", "a tenth are in, all others come within a second; the node admits what it can",
		15000, "--kind flood --spawn 1" + leisurely, flooded},
	{"flood-slow", "flood, 1 % of the processor", "the same, and the node runs for 1 ms of every 100",
		5000, "--kind flood --slow 1ms/99ms --spawn 1" + leisurely, flooded},
	{"flood-tenth", "flood, 10 % of the processor", "the same, and the node runs for 1 ms of every 10",
		15000, "--kind flood --slow 1ms/9ms --spawn 1" + leisurely, flooded},
	{"kill-slow", "kill, 10 % of the processor", "one of two nodes is killed, and the other runs for 1 ms of every 10 until all are in",
		15000, "--kind kill --slow 1ms/9ms --spawn 2" + leisurely, flooded},
	{"grey-2s", "grey failure, heartbeat 2 s", "for 30 s the node runs for 1 ms of every 121, a tenth of what these heartbeats need",
		15000, "--kind grey --slow 1ms/120ms --outage 30s --spawn 1 --heartbeat 2s --timeout 6s --pong-timeout 6s --node-arg admit-rate=20000", grey(1. / 3)},
	{"grey-30s", "grey failure, heartbeat 30 s", "the same with heartbeats that the slow node can serve",
		15000, "--kind grey --slow 1ms/120ms --outage 30s --spawn 1 --heartbeat 30s --timeout 75s --node-arg admit-rate=20000", grey(1)},
	{quick, "crash, back after 1 s", "kill -9 of the only node", 5000, "--kind blackout --outage 1s --spawn 1" + brisk, returned(1.5, 3)},
	{"crash-4s", "crash, back after 4 s", "kill -9 of the only node", 5000, "--kind blackout --outage 4s --spawn 1" + brisk, returned(1.5, 3)},
	{"crash-15s", "crash, back after 15 s", "kill -9 of the only node", 5000, "--kind blackout --outage 15s --spawn 1" + brisk, returned(1.5, 3)},
	{"blackout", "blackout of 15 s", "both nodes die, and are back after 15 s", 10000, "--kind blackout --outage 15s --spawn 2" + brisk, returned(1.5, 3)},
	{"restart-alone", "restart of the only node", "SIGTERM, and it is started again as soon as it has ended",
		5000, "--kind restart --spawn 1" + brisk + " --node-arg drain-grace=1s", restarted},
	{"ghosts", "cut of 98 %", "connections vanish, and the node of 6,000 places still holds them",
		5000, "--kind cut --fraction 0.98 --spawn 1 --heartbeat 5s --timeout 15s --node-arg max-conns=%d", cut},
}

// quick is the storm of a trial.
const quick = "crash-1s"

// play has so many times fewer clients.
func (s storm) play(share int) kit.Play {
	flags := s.flags
	if strings.Contains(flags, "%d") {
		flags = fmt.Sprintf(flags, 6000/share)
	}
	return kit.Play{Step: kit.Step{Workload: "storm", Subject: s.file}, Rounds: 1,
		Args: strings.Fields(fmt.Sprintf("bench storm %s --conns %d", flags, s.conns/share))}
}

// since is a time from the moment a node could accept.
func since(s *result.Storm, t *float64) *float64 {
	if t == nil || s.OutageS == nil {
		return nil
	}
	return new(*t - *s.OutageS)
}

// admission is N/C: what the clients take at the rate that the nodes admit; 0: unknown.
func admission(s *result.Storm) float64 {
	if ideal := since(s, s.IdealS); ideal != nil {
		return *ideal
	}
	return 0
}

// every target of a storm: nobody stands still, nobody else is hurt.
func always(s *result.Storm, r *result.Result) []kit.Target {
	all := []kit.Target{{What: "longest time without a return, s", AtMost: new(2.0), Of: kit.Seen(s.LongestGapS)},
		{What: "false evictions", AtMost: new(0.0), Of: kit.Seen(new(float64(r.Eviction.False)))}}
	if r.Probes != nil {
		all = append(all, kit.Target{What: "sessions lost of those left alone", AtMost: new(0.0), Of: kit.Seen(new(float64(r.Probes.Lost)))})
	}
	return all
}

// flooded: a plateau. What the node can do is its best second; a flood that is over before
// one has passed was none to it.
func flooded(s *result.Storm, r *result.Result) []kit.Target {
	all := []kit.Target{{What: "attempts each", AtMost: new(3.0), Of: kit.Seen(s.AttemptsPerSuccess)}}
	if g := s.GoodputPerS; g != nil && g.Best > 0 {
		all = append(all, kit.Target{What: "t100, s", AtMost: new(1.3 * float64(s.Clients) / g.Best), Of: kit.Seen(s.T100S), From: "1.3 x N / best second"},
			kit.Target{What: "median second by the best", AtLeast: new(.8), Of: kit.Seen(new(g.Median / g.Best))})
	} else {
		all = append(all, kit.Target{What: "t100, s", AtMost: new(2.0), Of: kit.Seen(s.T100S), From: "the second in which they come, and one"})
	}
	return append(all, always(s, r)...)
}

// returned: within so many times of what the admission rate takes.
func returned(t99, t100 float64) func(*result.Storm, *result.Result) []kit.Target {
	return func(s *result.Storm, r *result.Result) []kit.Target {
		return append([]kit.Target{
			{What: "t99, s", AtMost: new(t99 * admission(s)), Of: kit.Seen(since(s, s.T99S)), From: fmt.Sprintf("%g x N/C", t99)},
			{What: "t100, s", AtMost: new(t100 * admission(s)), Of: kit.Seen(since(s, s.T100S)), From: fmt.Sprintf("%g x N/C", t100)},
		}, always(s, r)...)
	}
}

// grey: a share of the sessions is kept, and whoever lost his is back soon after the recovery.
func grey(share float64) func(*result.Storm, *result.Result) []kit.Target {
	return func(s *result.Storm, r *result.Result) []kit.Target {
		all := []kit.Target{{What: "sessions kept", AtLeast: new(math.Floor(share * float64(r.Conns.Target))), Of: kit.Seen(new(float64(r.Conns.Target - s.Clients)))}}
		if s.Clients > 0 {
			limit, because := 5.0, "5 s"
			if g := s.GoodputPerS; g != nil && g.Best > 0 {
				limit, because = limit+float64(s.Clients)/g.Best, "5 s and N / best second"
			}
			all = append(all, kit.Target{What: "t100, s", AtMost: new(limit), Of: kit.Seen(since(s, s.T100S)), From: because})
		}
		return append(all, always(s, r)...)
	}
}

func restarted(s *result.Storm, r *result.Result) []kit.Target {
	return append([]kit.Target{
		{What: "it ends after, s", AtMost: new(3.0), Of: kit.Seen(s.DrainS), From: "its grace and 2 s"},
		{What: "t100, s", AtMost: new(1.5 * admission(s)), Of: kit.Seen(since(s, s.T100S)), From: "1.5 x N/C"},
		{What: "attempts each", AtMost: new(3.0), Of: kit.Seen(s.AttemptsPerSuccess)},
	}, always(s, r)...)
}

func cut(s *result.Storm, r *result.Result) []kit.Target {
	return append([]kit.Target{
		{What: "t100, s", AtMost: new(1.1 * admission(s)), Of: kit.Seen(since(s, s.T100S)), From: "1.1 x N/C"},
		{What: "attempts each", AtMost: new(1.2), Of: kit.Seen(s.AttemptsPerSuccess)},
	}, always(s, r)...)
}
