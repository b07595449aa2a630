package bench

import "time"

// result is what has come of the run.
func (r *runner) result(t *tally) *Result {
	lost := r.clients.Lost()
	out := &Result{
		Schema: Schema, Scenario: r.Scenario, Seed: r.Seed,
		Build: thisBuild(r.Version),
		Terms: r.terms(), Load: r.load(),
		Conns:  Conns{Target: r.Conns},
		Server: r.servers.all(), Promises: !r.NoPromises,
		Generator: Generator{Workers: r.Workers, LostWorkers: len(lost)},
	}
	t.fill(out, r.facts())
	if r.soaks {
		out.Soak = soakOf(r.seconds, r.soakFrom, r.soakTo)
	}
	if why := r.unproven(&t.Counters, out.Soak); why != "" {
		out.Generator.WhyInvalid = &why
	}
	if len(lost) > 0 { // the first is the cause, if one led to another
		out.Generator.WhyInvalid = new(lost[0].Error())
	}
	if out.Storm != nil {
		out.Storm.DrainS, out.Storm.GhostsGoneS = secondsOf(r.drained), secondsOf(r.ghostsGone)
		if r.cutBy != "" {
			out.Storm.CutBy = &r.cutBy
		}
	}
	return out
}

// facts are what the tally does not know.
func (r *runner) facts() *facts {
	f := &facts{lifetime: r.Lifetime, probes: r.probeCount(), ramped: !r.told()} // else several ramps, with other things between
	for _, c := range r.cohorts {
		f.policies = append(f.policies, c.Policy.String())
	}
	if _, stormed := r.clients.StormAt(); stormed {
		f.storm = &stormFacts{kind: r.Kind, policy: r.Policy, capacity: r.Capacity, pace: r.drainPace(), outage: r.outage()}
	}
	return f
}

// outage is how long nobody could accept; nil: nobody can yet.
func (r *runner) outage() *time.Duration {
	if !r.alone() {
		return new(time.Duration)
	}
	return r.servers.acceptedAfter()
}

// detail is filled when the run is over.
func (r *runner) detail(t *tally) (Detail, error) {
	d := Detail{Command: r.Command, Phases: r.phases, Seconds: r.seconds}
	if at, stormed := r.clients.StormAt(); stormed {
		d.StormAtS = new(at.Seconds())
	}
	return d, t.detail(&d, r.facts())
}
