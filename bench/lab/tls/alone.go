package tls

import (
	"context"
	"fmt"
	"os"
	"runtime/debug"
	"time"

	"github.com/stormwheel/stormwheel/bench"
	"github.com/stormwheel/stormwheel/bench/lab/kit"
	"github.com/stormwheel/stormwheel/bench/scenario"
	"github.com/stormwheel/stormwheel/internal/machine/proc"
)

// settled is how long clients stay before their memory is read: a ticket is waited for for a second.
const settled = 4 * time.Second

// alone is a process of clients of the load generator, and tells what it holds.
func alone(t kit.Task) (map[string]float64, error) {
	cfg := scenario.Config{Scenario: "hold", Targets: []string{t.Target}, Conns: t.Size, Rate: t.Rate, Duration: time.Minute, Seed: 1, Workers: 1}
	if t.Subject != plainClient {
		cfg.Transport, cfg.Insecure, cfg.TLSResume = "tls", true, t.Subject == ticketClient
	}
	ctx, enough := context.WithCancel(context.Background())
	defer enough()
	bytes, ready := 0.0, 0
	watch := func(u bench.Update) {
		if u.Status == nil || u.Phase.Name != "hold" || bytes > 0 || u.At-u.Phase.Since < settled {
			return
		}
		for range 4 { // stacks shrink by half a collection
			debug.FreeOSMemory()
		}
		n, err := proc.Resident(os.Getpid())
		if err == nil {
			bytes = float64(n)
		}
		enough()
	}
	res, err := kit.Tolerate(bench.Run(ctx, cfg, bench.View{Watch: watch}))
	if err != nil {
		return nil, err
	}
	if ready = res.Conns.End; ready != t.Size || bytes == 0 {
		return nil, fmt.Errorf("%d of %d clients at the end, %g bytes", ready, t.Size, bytes)
	}
	return map[string]float64{"bytes": bytes}, nil
}
