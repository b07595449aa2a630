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
	slow    bool   // it is run where STORMWHEEL_SLOW is set
	targets func(s *result.Storm, r *result.Result) []kit.Target
}

// What the clients are told, and what the nodes admit. The calm before a storm of long heartbeats need not
// be as long as one of them.
const (
	leisurely = " --heartbeat 20s --timeout 60s --duration 3s --node-arg admit-rate=20000"
	brisk     = " --heartbeat 2s --timeout 6s --node-arg admit-rate=1000"
)

// storms have a seed, so that a run can be repeated.
var storms = []storm{
	{file: "flood-full", name: "flood, the whole processor", about: "a tenth are in, all others come within a second; the node admits what it can",
		conns: 15000, flags: "--kind flood --spawn 1" + leisurely, targets: flooded},
	{file: "flood-slow", name: "flood, 1 % of the processor", about: "the same, and the node runs for 1 ms of every 100",
		conns: 5000, flags: "--kind flood --slow 1ms/99ms --spawn 1" + leisurely, targets: flooded},
	{file: "flood-tenth", name: "flood, 10 % of the processor", about: "the same, and the node runs for 1 ms of every 10",
		conns: 15000, flags: "--kind flood --slow 1ms/9ms --spawn 1" + leisurely, targets: flooded},
	{file: "kill-slow", name: "kill, 10 % of the processor", about: "one of two nodes is killed, and the other runs for 1 ms of every 10 until all are in",
		conns: 15000, flags: "--kind kill --slow 1ms/9ms --spawn 2" + leisurely, targets: flooded},
	{file: "grey-2s", name: "grey failure, heartbeat 2 s", about: "for 30 s the node runs for 1 ms of every 121, a tenth of what these heartbeats need",
		conns: 15000, flags: "--kind grey --slow 1ms/120ms --outage 30s --spawn 1 --heartbeat 2s --timeout 6s --pong-timeout 6s --node-arg admit-rate=20000", targets: grey(1. / 3)},
	{file: "grey-30s", name: "grey failure, heartbeat 30 s", about: "the same with heartbeats that the slow node can serve",
		conns: 15000, flags: "--kind grey --slow 1ms/120ms --outage 30s --spawn 1 --heartbeat 30s --timeout 75s --duration 5s --node-arg admit-rate=20000", targets: grey(1)},
	{file: quick, name: "crash, back after 1 s", about: "kill -9 of the only node", conns: 5000, flags: "--kind blackout --outage 1s --spawn 1" + brisk, targets: returned(1.5, 3)},
	{file: "crash-4s", name: "crash, back after 4 s", about: "kill -9 of the only node", conns: 5000, flags: "--kind blackout --outage 4s --spawn 1" + brisk, targets: returned(1.5, 3)},
	{file: "crash-15s", name: "crash, back after 15 s", about: "kill -9 of the only node", conns: 5000, flags: "--kind blackout --outage 15s --spawn 1" + brisk, targets: returned(1.5, 3)},
	{file: "blackout", name: "blackout of 15 s", about: "both nodes die, and are back after 15 s", conns: 10000, flags: "--kind blackout --outage 15s --spawn 2" + brisk, targets: returned(1.5, 3)},
	{file: "blackout-10m", name: "blackout of 10 min", about: "both nodes die, and are back after ten minutes", slow: true,
		conns: 10000, flags: "--kind blackout --outage 10m --recovery-timeout 2m --spawn 2" + brisk, targets: forgotten},
	{file: "restart-alone", name: "restart of the only node", about: "SIGTERM, and it is started again as soon as it has ended",
		conns: 5000, flags: "--kind restart --spawn 1" + brisk + " --node-arg drain-grace=1s", targets: restarted},
	{file: "ghosts", name: "cut of 98 %", about: "connections vanish, and the node of 6,000 places still holds them",
		conns: 5000, flags: "--kind cut --fraction 0.98 --spawn 1 --heartbeat 5s --timeout 15s --node-arg max-conns=%d", targets: cut},
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

// forgotten: after ten minutes clients try once a minute.
func forgotten(s *result.Storm, r *result.Result) []kit.Target {
	return append([]kit.Target{{What: "t100, s", AtMost: new(70.0), Of: kit.Seen(since(s, s.T100S))}}, always(s, r)...)
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
