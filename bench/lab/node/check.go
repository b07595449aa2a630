package node

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/stormwheel/stormwheel/bench/lab/kit"
	"github.com/stormwheel/stormwheel/bench/lab/peers"
)

// Budgets is the small comparison with bare gnet that CI makes. The budgets are wide: the
// machine is noisy, and what this must catch is a copy, a lock or an allocation too many.
type Budgets struct {
	Rounds int     `default:"9" help:"Of each server."`
	Conns  int     `default:"15000" help:"Connections; of few, what a process costs at all counts."`
	Rate   float64 `default:"10000" help:"Heartbeats a second."`
	Memory float64 `default:"1.5" help:"Budget: bytes a connection, of bare gnet's."`
	CPU    float64 `default:"1.4" help:"Budget: CPU of a heartbeat, of bare gnet's."`
}

// Run fails when a budget is broken beyond doubt: when the whole 95 % interval of the paired
// rounds lies above it. Nine rounds let one of them be bad luck.
func (b *Budgets) Run(ctx context.Context) error {
	e := effort{beatConns: b.Conns, rates: []float64{b.Rate}, connect: 10_000, warm: 500 * time.Millisecond, span: 2200 * time.Millisecond}
	check := kit.Section{Name: "check",
		Steps: func(*kit.Kept) []kit.Step {
			return kit.Turns(b.Rounds, e.top(), []string{peers.Ours, peers.Floor}, nil)
		},
		Measure: func(ctx context.Context, _ *kit.Kept, r *kit.Record) error { return e.measure(ctx, r) }}
	k, err := kit.Run(ctx, kit.Place{Out: "out"}, check, kit.Effort{}, "make bench-check", os.Stdout)
	if err != nil {
		return err
	}
	for _, t := range []kit.Target{
		bar{what: "memory of a connection, of bare gnet's", step: e.top(), name: "bytes", other: peers.Floor, most: b.Memory, unit: "x"}.target(k),
		bar{what: "CPU of a heartbeat, of bare gnet's", step: e.top(), name: "cpu_us", other: peers.Floor, most: b.CPU, unit: "x"}.target(k),
	} {
		text := strings.Join(t.Cells(), "; ")
		if t.Missed() || t.Of.N < b.Rounds {
			return fmt.Errorf("%s; %d connections, %g heartbeats a second", text, b.Conns, b.Rate)
		}
		fmt.Println(text)
	}
	return nil
}
