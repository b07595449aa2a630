// Package tls measures a node whose clients come by TLS beside the same node over plain TCP, crypto/tls
// with a goroutine a connection, and nbio: what an idle connection holds, what a heartbeat and a
// handshake cost, and what a client of the load generator holds.
package tls

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/netip"
	"strconv"
	"time"

	"github.com/stormwheel/stormwheel/bench/handshakes"
	"github.com/stormwheel/stormwheel/bench/lab/kit"
	"github.com/stormwheel/stormwheel/bench/lab/node"
	"github.com/stormwheel/stormwheel/bench/lab/peers"
)

// Section is the part of BENCHMARKS.md about TLS.
var Section = kit.Section{Name: "tls", Title: "TLS",
	Code:  []string{"server", "codec", "timingwheel", "internal/transport", "bench/swarm", "bench/handshakes", "bench/lab/tls", "bench/lab/peers"},
	Steps: steps, Measure: measure, Alone: alone, Write: write}

// The bars.
const (
	mostBytes  = 300  // of an idle connection, above plain TCP's in the same round
	mostAtAll  = 800  // of an idle connection
	mostCPU    = 1.10 // times plain TCP's processor time of a heartbeat
	leastShake = 0.9  // times crypto/tls's handshakes a second a core
	mostClient = 900  // of a client of the load generator, without a ticket
	mostStorm  = 1.15 // times N/C until 99 % are back after a kill
)

type effort struct {
	first      int     // clients that are there before those of the beats
	beats      []beats // with the first of them the memory is measured
	shakes     int     // handshakes in a row
	open       int     // at a time
	pairs, all int     // rounds of ours, plain and by TLS, and of the others
	few, many  int     // clients of two swarms
	storm      int     // clients of a storm
	ways       int     // of storms
	beat       int     // seconds between heartbeats in them
	warm, span time.Duration
	rare       time.Duration // the span of the first beats
}

var efforts = map[string]effort{
	"full": {first: 3000, beats: []beats{{15_000, 500}, {8000, 36_000}}, shakes: 10_000, open: 256, pairs: 2, all: 1, few: 1000, many: 7000,
		storm: 15_000, ways: 2, beat: 5, warm: 2 * time.Second, span: 7 * time.Second, rare: 30 * time.Second},
	"short": {first: 1000, beats: []beats{{5000, 5000}}, shakes: 5000, open: 256, pairs: 2, all: 1, few: 500, many: 5000,
		storm: 1500, ways: 2, beat: 5, warm: 2 * time.Second, span: 4 * time.Second, rare: 4 * time.Second},
	"tiny": {first: 50, beats: []beats{{200, 400}}, shakes: 50, open: 8, pairs: 1, all: 1, few: 50, many: 200,
		storm: 200, ways: 1, beat: 1, warm: 300 * time.Millisecond, span: time.Second, rare: time.Second},
}

// beats are the clients and the heartbeats a second of a holding.
type beats struct {
	conns int
	rate  float64
}

func (b beats) step() kit.Step { return kit.Step{Workload: beat, Size: b.conns, Rate: b.rate} }

// leisurely is a rate of connects at which few handshakes are under way at a time: what a crowd of them leaves
// behind in a heap is not taken for the cost of a connection.
const leisurely = 1000

// brisk is the rate of other servers' clients, and of those without TLS. A node of ours has its clients heartbeat less
// often while it is late, and would not be loaded as was asked for.
const brisk = 1500

// The workloads.
const (
	beat    = "beat"
	full    = "full"    // handshakes
	resumed = "resumed" // the same
	clients = "clients" // of the load generator
	stormed = "storm"
)

// What the clients of the load generator come by, in the workload clients.
const (
	plainClient  = "tcp"
	tlsClient    = "tls"
	ticketClient = "tls, a ticket"
)

func steps(k *kit.Kept) []kit.Step {
	e := efforts[k.Effort.Name]
	secure := []string{}
	for _, kind := range peers.TLSes {
		secure = append(secure, kind.Name)
	}
	kinds := append([]string{peers.Ours}, secure...)
	ours := func(kind string, round int) bool { return round < e.all || kind == peers.Ours || kind == peers.OursTLS }
	rivals := func(kind string, round int) bool {
		return round < e.all || kind == peers.StdTLS || kind == peers.OursTLS
	}
	var all []kit.Step
	for i, b := range e.beats {
		some := kinds
		if i > 0 {
			some = []string{peers.Ours, peers.OursTLS}
		}
		all = append(all, kit.Turns(e.pairs, b.step(), some, ours)...)
	}
	for _, how := range []string{full, resumed} {
		all = append(all, kit.Turns(e.pairs, kit.Step{Workload: how, Size: e.open}, secure, rivals)...)
	}
	all = append(all, kit.Turns(e.all, kit.Step{Workload: clients, Size: e.many}, []string{plainClient, tlsClient, ticketClient}, nil)...)
	return append(all, kit.Plays(e.storms())...)
}

func measure(ctx context.Context, k *kit.Kept, r *kit.Record) (err error) {
	e := efforts[k.Effort.Name]
	switch r.Workload {
	case full, resumed:
		return e.shake(ctx, r)
	case stormed:
		return k.Play(ctx, r, e.storms(), 1)
	case clients:
		r.Figures, err = e.swarm(ctx, k, r.Step)
		return err
	}
	h := node.Holding{Conns: r.Size, Connect: brisk, Heartbeat: node.HeartbeatFor(r.Size, r.Rate), Warm: e.warm, Span: e.span, Transport: "tls"}
	switch r.Subject {
	case peers.Ours:
		h.Transport = "tcp"
	case peers.OursTLS:
		h.Connect = leisurely
	}
	if r.Rate == e.beats[0].rate {
		h.First = e.first
		e.rarely(&h, r)
	}
	return node.Hold(ctx, r, h)
}

// rarely sets the time of the first beats. Each client has half a minute between two of them, and those of all lie as
// close together as the clients came: so the rounds that count them last as long. Of the others the memory is wanted alone.
func (e effort) rarely(h *node.Holding, r *kit.Record) {
	if r.Round >= e.all || r.Subject != peers.Ours && r.Subject != peers.OursTLS {
		h.Span = time.Second
		return
	}
	h.Span = e.rare
}

// shake has a server make handshakes in a row.
func (e effort) shake(ctx context.Context, r *kit.Record) error {
	g, err := peers.StartGroup(ctx, r.Subject, 1, "--heartbeat", "30s", "--timeout", "10m", "--admit-rate", node.Admitted)
	if err != nil {
		return err
	}
	defer g.Close()
	target, err := netip.ParseAddrPort(g.Addrs()[0])
	if err != nil {
		return err
	}
	before := g.Use()
	seen, err := handshakes.Run(ctx, handshakes.Config{Targets: []netip.AddrPort{target}, TLS: &tls.Config{InsecureSkipVerify: true},
		Resume: r.Workload == resumed, Open: r.Size, Most: e.shakes}, time.Hour)
	after := g.Use()
	switch {
	case err != nil:
		return err
	case g.Err != nil:
		return g.Err
	case seen.Failed > 0:
		return fmt.Errorf("%d handshakes failed, the first: %w", seen.Failed, seen.Err)
	case (seen.Resumed == seen.Ended) != (r.Workload == resumed):
		return fmt.Errorf("%d of %d were resumed", seen.Resumed, seen.Ended)
	}
	used := (after.CPU() - before.CPU()).Seconds()
	r.Figures["shakes_core"] = float64(seen.Ended) / used
	r.Figures["shake_us"] = used * 1e6 / float64(seen.Ended)
	r.Figures["shakes_s"] = float64(seen.Ended) / seen.Took.Seconds()
	r.Figures["shake_p50"], r.Figures["shake_p99"] = seen.Latency.Quantile(50), seen.Latency.Quantile(99)
	return nil
}

// swarm is what a process of many clients holds and one of few does not, a client. Those of both come within the same time:
// a run keeps a record of each of its seconds.
func (e effort) swarm(ctx context.Context, k *kit.Kept, s kit.Step) (map[string]float64, error) {
	var held [2]float64
	for i, conns := range []int{e.few, e.many} {
		kind := peers.OursTLS
		if s.Subject == plainClient {
			kind = peers.Ours
		}
		server, err := peers.Start(ctx, kind, "--heartbeat", "2s", "--timeout", "60s", "--admit-rate", node.Admitted, "--loops", strconv.Itoa(2))
		if err != nil {
			return nil, err
		}
		s.Size, s.Rate = conns, leisurely*float64(conns)/float64(e.many)
		f, err := k.Alone(ctx, s, server.Addr)
		server.Close()
		if err != nil {
			return nil, err
		}
		held[i] = f["bytes"]
	}
	return map[string]float64{"bytes": (held[1] - held[0]) / float64(e.many-e.few)}, nil
}
