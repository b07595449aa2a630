package node

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/stormwheel/stormwheel/bench"
	"github.com/stormwheel/stormwheel/bench/lab/kit"
	"github.com/stormwheel/stormwheel/bench/lab/peers"
	"github.com/stormwheel/stormwheel/bench/scenario"
)

const (
	stormHeartbeat = 2 * time.Second
	stormTimeout   = 6 * time.Second
)

// openKind is our node with an admission rate that holds nobody up, as the peers have.
const openKind = "stormwheel-open"

// storm gives the figures of one recovery from a kill -9 of one of two servers of a kind,
// which has all the clients.
func storm(ctx context.Context, r *kit.Record, connect float64) error {
	program, err := os.Executable()
	if err != nil {
		return err
	}
	name, admit := r.Subject, []string(nil)
	if name == openKind {
		name, admit = peers.Ours, []string{"admit-rate=" + Admitted}
	}
	res, err := kit.Tolerate(bench.Run(ctx, scenario.Config{Scenario: "storm", Kind: "kill", Spawn: 2, Place: "first",
		NodeCommand: []string{program, "serve", name}, NodeArgs: admit,
		Conns: r.Size, Rate: min(connect, 1900), // below what our node admits by default
		Heartbeat: stormHeartbeat, Timeout: stormTimeout}, bench.View{}))
	if err != nil {
		return err
	}
	s := res.Storm
	if s == nil || s.T100S == nil {
		return errors.New("not all clients came back within the time")
	}
	r.Figures = map[string]float64{"clients": float64(s.Clients), "peak_s": s.PeakAttemptsPerS,
		"lost_s": s.LostConnectionSeconds, "false": float64(res.Eviction.False)}
	r.Set("t50_s", s.T50S)
	r.Set("t99_s", s.T99S)
	r.Set("t100_s", s.T100S)
	r.Set("attempts", s.AttemptsPerSuccess)
	r.Punctuality(res)
	return nil
}
