package bench

import (
	"cmp"
	"slices"
	"time"

	"github.com/stormwheel/stormwheel/bench/handshakes"
	"github.com/stormwheel/stormwheel/bench/result"
	"github.com/stormwheel/stormwheel/bench/swarm"
	"github.com/stormwheel/stormwheel/bench/tally"
)

// result is what has come of the run.
func (r *runner) result(t *tally.Tally) *result.Result {
	lost := r.Clients.Lost()
	out := &result.Result{
		Schema: result.Schema, Scenario: r.Scenario, Seed: r.Seed,
		Build: thisBuild(r.Version),
		Terms: r.Terms(), Load: r.Load(),
		Conns:  result.Conns{Target: r.Conns},
		Server: r.Servers.All(), Promises: !r.NoPromises,
		Generator: result.Generator{Workers: r.Workers, LostWorkers: len(lost), PingGridMs: result.Millis(r.PingGrid()), LateLimitMs: result.Millis(r.LateLimit)},
	}
	if !r.Shakes() && len(r.Phases) == 0 { // each of whose ramps has its own
		out.Connect.TargetPerS = &r.Rate
	}
	t.Fill(out, r.facts())
	if r.Soaks {
		out.Soak = tally.Growth(r.seconds, r.SoakFrom, r.SoakTo)
	}
	if seen := r.Handshakes; seen != nil {
		out.Handshake = handshakeOf(seen, r.Conns, r.TLSResume, out.Server)
	}
	if why := r.Unproven(&t.Counters, out.Soak); why != "" {
		out.Generator.WhyInvalid = &why
	}
	switch {
	case r.Struck != nil && r.Struck.Failed != nil:
		out.Generator.WhyInvalid = r.Struck.Failed
	case r.Unstruck != "":
		out.Generator.WhyInvalid = &r.Unstruck
	}
	if len(lost) > 0 { // the first is the cause, if one led to another
		out.Generator.WhyInvalid = new(lost[0].Error())
	}
	if out.Storm != nil {
		out.Storm.DrainS, out.Storm.GhostsGoneS = tally.Seconds(r.Drained), tally.Seconds(r.GhostsGone)
		out.Storm.Command, out.Storm.T0By = r.Struck, cmp.Or(r.T0By, result.T0ByRun)
		if r.CutBy != "" {
			out.Storm.CutBy = &r.CutBy
		}
	}
	return out
}

// handshakeOf is what has come of handshakes, so many at a time.
func handshakeOf(seen *handshakes.Seen, open int, resume bool, servers []result.Server) *result.Handshake {
	h := &result.Handshake{Open: open, Ended: seen.Ended, Resumed: seen.Resumed, Other: seen.Resumed, Failed: seen.Failed, LatencyMs: seen.Latency.Percentiles()}
	if seen.Err != nil {
		h.FirstFailure = new(swarm.Cause(seen.Err))
	}
	if resume {
		h.Other = seen.Ended - seen.Resumed
	}
	if seen.Ended == 0 {
		return h
	}
	h.PerS = new(float64(seen.Ended) / seen.Took.Seconds())
	cpu := 0.0
	for _, s := range servers {
		if s.CPUS == nil {
			return h
		}
		cpu += *s.CPUS
	}
	h.ServerCPUUs = new(cpu * 1e6 / float64(seen.Ended))
	return h
}

// facts are what the tally does not know.
func (r *runner) facts() *tally.Facts {
	f := &tally.Facts{Lifetime: r.Lifetime, Probes: r.ProbeCount(), Policies: r.Policies(),
		Ramped: !r.OnDemand()} // else several ramps, with other things between
	if r.Handshakes != nil {
		f.Shakes = r.Handshakes.Latency
	}
	if _, stormed := r.Clients.StormAt(); stormed {
		f.Storm = &tally.StormFacts{Kind: r.Kind, Policy: r.Policy, Capacity: r.Capacity, Pace: r.DrainPace(), Outage: r.outage()}
	}
	return f
}

// outage is how long nobody could accept; nil: nobody can yet.
func (r *runner) outage() *time.Duration {
	if !r.Alone() {
		return new(time.Duration)
	}
	return r.Servers.AcceptedAfter()
}

// detail is filled when the run is over.
func (r *runner) detail(t *tally.Tally) (result.Detail, error) {
	r.mu.Lock() // a node that was asked to end may still do so
	d := result.Detail{Command: r.Command, Phases: r.phases, Events: slices.Clone(r.events), Seconds: r.seconds}
	r.mu.Unlock()
	if at, stormed := r.Clients.StormAt(); stormed {
		d.StormAtS = new(at.Seconds())
	}
	return d, t.Detail(&d, r.facts())
}
