package node

import (
	"context"
	"slices"

	"github.com/stormwheel/stormwheel/bench/lab/kit"
	"github.com/stormwheel/stormwheel/bench/lab/peers"
)

// steps are all measurements, in order.
func steps(k *kit.Kept) []kit.Step {
	e := effortOf(k)
	kinds := slices.DeleteFunc(peers.Present(k), func(kind string) bool {
		return len(e.kinds) > 0 && len(k.Effort.Subjects) == 0 && !slices.Contains(e.kinds, kind)
	})
	all := kit.Turns(max(e.idle, e.idlePairs), e.idleStep(), kinds, func(kind string, round int) bool {
		return round < e.idle || kind == peers.Ours || kind == peers.Floor
	})
	all = append(all, kit.Turns(e.connects, e.connectStep(), kinds, nil)...)
	for _, rate := range e.rates {
		n := e.beat
		if rate == e.topRate() {
			n = max(e.beat, e.pairs)
		}
		all = append(all, kit.Turns(n, e.beatStep(rate), kinds, func(kind string, round int) bool {
			return round < e.beat || slices.Contains(e.pairKinds, kind)
		})...)
	}
	for _, count := range e.counts {
		if why := peers.TooMany(count, peers.PerProcess); why != "" {
			k.Note("skipped", "%s connections: %s", kit.Count(count), why)
			continue
		}
		all = append(all, kit.Turns(e.scale, scaleStep(count), kinds,
			func(kind string, _ int) bool { return e.scales(kind, count) })...)
	}
	all = append(all, kit.Turns(e.evict, e.evictStep(), kinds, func(name string, _ int) bool {
		kind, _ := peers.Of(name)
		return kind.Evicts
	})...)
	if slices.Contains(kinds, peers.Ours) {
		kinds = append(kinds, openKind)
	}
	return append(all, kit.Turns(e.storm, e.stormStep(), kinds, nil)...)
}

// scales tells whether a kind is measured with so many connections.
func (e effort) scales(kind string, count int) bool {
	switch {
	case kind == peers.Ours:
		return true
	case count > manyCounts:
		return false
	case count > peers.PerProcess:
		return kind == peers.Floor
	default:
		return len(e.scaleKinds) == 0 || slices.Contains(e.scaleKinds, kind)
	}
}

func measure(ctx context.Context, k *kit.Kept, r *kit.Record) error {
	return effortOf(k).measure(ctx, r)
}

// measure makes one step.
func (e effort) measure(ctx context.Context, r *kit.Record) error {
	h := Holding{Conns: r.Size, Connect: e.connect, Heartbeat: IdleHeartbeat, Warm: e.warm, Span: e.span}
	if r.Subject == "netty" {
		h.Warm = e.jvmWarm
	}
	switch r.Workload {
	case "idle":
		h.Connect, h.Warm, h.Span = leisurely, e.warm, 0
	case "connect":
		h.Connect, h.Warm, h.Span = atOnce, e.warm, 0
	case "beat":
		h.Heartbeat = HeartbeatFor(r.Size, r.Rate)
	case "scale":
		h.Heartbeat = HeartbeatFor(r.Size, e.scaleRate)
	case "evict":
		return evict(ctx, r, e.living, e.connect)
	default:
		return storm(ctx, r, e.connect)
	}
	return Hold(ctx, r, h)
}
