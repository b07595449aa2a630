package kit

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/stormwheel/stormwheel/bench"
	"github.com/stormwheel/stormwheel/bench/result"
	"github.com/stormwheel/stormwheel/bench/scenario"
)

// Clients are a run of package bench under way in this process.
type Clients struct {
	cancel context.CancelFunc
	phases chan string // the parts of the scenario, as they begin
	done   chan struct{}
	res    *result.Result
	err    error
}

// StartClients begins a run. Its workers, if it has any, are parts of this program.
func StartClients(ctx context.Context, cfg scenario.Config) (*Clients, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cfg.WorkerCommand = []string{program, "worker"}
	ctx, cancel := context.WithCancel(ctx)
	c := &Clients{cancel: cancel, phases: make(chan string, 16), done: make(chan struct{})}
	go func() {
		defer close(c.done)
		c.res, c.err = bench.Run(ctx, cfg, bench.View{Watch: c.watch})
	}()
	return c, nil
}

// watch passes phases on.
func (c *Clients) watch(u bench.Update) {
	if u.Event == "" && u.Status == nil {
		select {
		case c.phases <- u.Phase.Name:
		default: // nobody waits for so many
		}
	}
}

// Reached waits until a phase of the scenario begins: after "ramp", all clients that can be
// have been welcomed.
func (c *Clients) Reached(phase string) error {
	for {
		select {
		case name := <-c.phases:
			if name == phase {
				return nil
			}
		case <-c.done:
			_, err := c.Wait()
			return fmt.Errorf("the clients ended before they came to %q: %w", phase, err)
		}
	}
}

// End stops the run, if it has not ended, and gives its result.
func (c *Clients) End() (*result.Result, error) {
	c.cancel()
	return c.Wait()
}

// Wait gives the result of the run when it has ended.
func (c *Clients) Wait() (*result.Result, error) {
	<-c.done
	return Tolerate(c.res, c.err)
}

// Tolerate takes a verdict for no error: that a promise failed, that the generator was late,
// or that we cut the run short is among the figures.
func Tolerate(res *result.Result, err error) (*result.Result, error) {
	switch result.ExitCode(err) {
	case result.ExitPass, result.ExitInvalid, result.ExitThreshold, result.ExitInterrupted:
		if res != nil {
			return res, nil
		}
	}
	return nil, fmt.Errorf("the clients: %w", err)
}

// Punctuality notes whether the clients were punctual enough for their figures to count, and
// what they cost beside the server.
func (r *Record) Punctuality(res *result.Result) {
	if late := res.Generator.LateMs; late != nil {
		r.Figures["generator_p99"] = late.P99
	}
	if res.Generator.CPUS != nil && res.WallS > 0 {
		r.Figures["generator_cores"] = *res.Generator.CPUS / res.WallS
	}
}

// Window are the whole seconds of a result between two times.
type Window []result.Second

// WindowOf takes those seconds.
func WindowOf(res *result.Result, from, to time.Time) Window {
	var some Window
	began := 0.0
	for _, s := range res.Detail.Seconds {
		if began >= from.Sub(res.Started).Seconds() && s.T <= to.Sub(res.Started).Seconds() {
			some = append(some, s)
			some[len(some)-1].T = s.T - began // it is seldom exactly a second
		}
		began = s.T
	}
	return some
}

// Pongs is how many came a second.
func (w Window) Pongs() float64 {
	count, seconds := 0, 0.0
	for _, s := range w {
		count += s.Pongs
		seconds += s.T
	}
	if seconds == 0 {
		return 0
	}
	return float64(count) / seconds
}

// RTT is the median of the seconds' percentiles, in milliseconds.
func (w Window) RTT() (p50, p99 Sample) {
	var all [2][]float64
	for _, s := range w {
		if s.RTTp50 != nil && s.RTTp99 != nil {
			all[0], all[1] = append(all[0], *s.RTTp50), append(all[1], *s.RTTp99)
		}
	}
	return SampleOf(all[0]), SampleOf(all[1])
}
