package main

import "slices"

// step is one measurement to make.
type step struct {
	Workload string `json:"workload"` // idle, connect, beat, scale, evict or storm
	Kind     string `json:"kind"`
	Round    int    `json:"round"`
	Conns    int    `json:"conns"`
	Rate     int    `json:"rate,omitempty"` // beat: heartbeats a second
}

// steps are all measurements, in order. Within a workload the kinds take turns, A B C and
// then C B A, so that a drift of the machine falls on all of them.
func (e effort) steps(names []string) []step {
	var all []step
	rounds := func(n int, s step, takes func(kind string, round int) bool) {
		for round := range n {
			turn := slices.Clone(names)
			if round%2 == 1 {
				slices.Reverse(turn)
			}
			for _, kind := range turn {
				if takes(kind, round) {
					s.Kind, s.Round = kind, round
					all = append(all, s)
				}
			}
		}
	}
	every := func(string, int) bool { return true }
	rounds(max(e.Idle, e.IdlePairs), step{Workload: "idle", Conns: e.Conns}, func(kind string, round int) bool {
		return round < e.Idle || kind == ours || kind == floorKind
	})
	rounds(e.Connects, step{Workload: "connect", Conns: e.Conns}, every)
	for _, rate := range e.Rates {
		n := e.Beat
		if rate == e.topRate() {
			n = max(e.Beat, e.Pairs)
		}
		rounds(n, step{Workload: "beat", Conns: e.BeatConns, Rate: rate}, func(kind string, round int) bool {
			return round < e.Beat || slices.Contains(e.PairKinds, kind)
		})
	}
	for _, count := range e.Counts {
		if tooMany(count) == "" {
			rounds(e.Scale, step{Workload: "scale", Conns: count}, func(kind string, _ int) bool { return e.scales(kind, count) })
		}
	}
	rounds(e.Evict, step{Workload: "evict", Conns: e.Silent}, func(name string, _ int) bool {
		k, _ := kindOf(name)
		return k.evicts
	})
	names = append(slices.Clone(names), openKind)
	rounds(e.Storm, step{Workload: "storm", Conns: e.StormConns}, every)
	return all
}

// scales tells whether a kind is measured with so many connections.
func (e effort) scales(kind string, count int) bool {
	switch {
	case kind == ours:
		return true
	case count > e.ManyCounts:
		return false
	case count > perProcess:
		return kind == floorKind
	default:
		return len(e.ScaleKinds) == 0 || slices.Contains(e.ScaleKinds, kind)
	}
}

// measure makes one step.
func (e effort) measure(s step) (figures, error) {
	warm := e.Warm
	if s.Kind == "netty" {
		warm = e.JVMWarm
	}
	h := holding{conns: s.Conns, connect: e.Connect, span: e.Span, warm: warm}
	switch s.Workload {
	case "idle":
		h.heartbeat, h.connect, h.warm, h.span = idleHeartbeat, leisurely, e.Warm, 0
		return hold(s.Kind, h)
	case "connect":
		h.heartbeat, h.connect, h.warm, h.span = idleHeartbeat, atOnce, e.Warm, 0
		return hold(s.Kind, h)
	case "beat":
		h.heartbeat = heartbeatFor(s.Conns, s.Rate)
		return hold(s.Kind, h)
	case "scale":
		h.heartbeat = heartbeatFor(s.Conns, e.ScaleRate)
		return hold(s.Kind, h)
	case "evict":
		return evict(s.Kind, eviction{silent: e.Silent, living: e.Living, connect: e.Connect})
	default:
		return storm(s.Kind, stormRun{conns: e.StormConns, connect: e.Connect})
	}
}
