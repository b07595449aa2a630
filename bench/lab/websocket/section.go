// Package websocket measures a node whose clients come by WebSocket beside the same node over plain
// TCP, and beside servers that other libraries make, on the same heartbeats; and a storm of such clients.
package websocket

import (
	"context"
	"time"

	"github.com/stormwheel/stormwheel/bench/lab/kit"
	"github.com/stormwheel/stormwheel/bench/lab/node"
	"github.com/stormwheel/stormwheel/bench/lab/peers"
)

// Section is the part of BENCHMARKS.md about WebSockets.
var Section = kit.Section{Name: "websocket", Title: "WebSocket",
	Code:  []string{"server", "codec", "timingwheel", "internal/transport", "bench/swarm", "bench/lab/websocket", "bench/lab/peers"},
	Steps: steps, Measure: measure, Write: write}

// The bars: of the same node over plain TCP, and of the time that the pace asks for.
const (
	mostCPU   = 1.05 // times the processor time of a heartbeat
	mostBytes = 40   // more bytes an idle connection
	mostStorm = 1.05 // times N/C until 99 % are back after a kill
)

type effort struct {
	first, conns int     // that are there before those whose memory is measured, and these
	beating      int     // clients that share the heartbeats
	rate         float64 // heartbeats a second
	idles, beats int     // rounds of ours, over TCP and by WebSocket
	rivals       int     // rounds of the others' heartbeats
	warm, span   time.Duration
	storm, admit int // clients of a storm, and how many a second are let in
	storms       int // rounds
	pings        int // seconds between heartbeats in them
}

// effortOf is that of a run; rounds that it names stand for all of these.
func effortOf(k *kit.Kept) effort {
	e := efforts[k.Effort.Name]
	if n := k.Effort.Rounds; n > 0 {
		e.idles, e.beats, e.rivals, e.storms = n, n, n, n
	}
	return e
}

var efforts = map[string]effort{
	"full": {first: 3000, conns: 15_000, beating: 10_000, rate: 10_000, idles: 3, beats: 6, rivals: 2,
		warm: 2 * time.Second, span: 7 * time.Second, storm: 15_000, admit: 1500, storms: 1, pings: 5},
	"short": {first: 500, conns: 5000, beating: 5000, rate: 5000, idles: 2, beats: 3, rivals: 1,
		warm: 2 * time.Second, span: 4 * time.Second, storm: 3000, admit: 500, storms: 1, pings: 5},
	"tiny": {first: 20, conns: 100, beating: 200, rate: 400, idles: 1, beats: 1, rivals: 1,
		warm: 300 * time.Millisecond, span: 1100 * time.Millisecond, storm: 100, admit: 100, storms: 1, pings: 1},
}

// brisk is how many clients a second come to a server, and swift the same where that is not measured.
const (
	brisk = 2000
	swift = 3000
)

// The workloads.
const (
	idle    = "idle"
	beat    = "beat"
	stormed = "storm"
)

func (e effort) idleStep() kit.Step { return kit.Step{Workload: idle, Size: e.conns} }
func (e effort) beatStep() kit.Step { return kit.Step{Workload: beat, Size: e.beating, Rate: e.rate} }

func steps(k *kit.Kept) []kit.Step {
	e := effortOf(k)
	kinds := []string{peers.Ours}
	for _, kind := range peers.WebSockets {
		kinds = append(kinds, kind.Name)
	}
	oursAnd := func(others int) func(string, int) bool {
		return func(kind string, round int) bool {
			return round < others || kind == peers.Ours || kind == peers.OursWS
		}
	}
	all := kit.Turns(e.idles, e.idleStep(), kinds, oursAnd(1))
	all = append(all, kit.Turns(e.beats, e.beatStep(), kinds, oursAnd(e.rivals))...)
	return append(all, kit.Plays(e.plays())...)
}

func measure(ctx context.Context, k *kit.Kept, r *kit.Record) error {
	e := effortOf(k)
	if r.Workload == stormed {
		return k.Play(ctx, r, e.plays(), 2)
	}
	h := node.Holding{Conns: r.Size, Connect: brisk, Heartbeat: node.IdleHeartbeat, Warm: e.warm, Transport: "ws", First: e.first}
	if r.Workload == beat {
		h.Connect, h.Heartbeat, h.Span, h.First = swift, node.HeartbeatFor(r.Size, r.Rate), e.span, 0
	}
	switch r.Subject {
	case peers.Ours:
		h.Transport = "tcp"
	case peers.Centrifuge:
		h.Come = bring
		if r.Workload == beat { // it pings at its interval, and not a little before it
			h.Heartbeat = time.Duration(float64(r.Size) / r.Rate * float64(time.Second))
		}
	}
	return node.Hold(ctx, r, h)
}
