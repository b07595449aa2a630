package bench

import (
	"cmp"
	"fmt"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/stormwheel/stormwheel/internal/machine"
)

// result turns the tally into the words of Result.
func (r *runner) result(t *tally) *Result {
	p := r.plan
	lost := r.fleet.Lost()
	out := &Result{
		Schema: Schema, Scenario: p.Scenario, Seed: p.Seed,
		Build: thisBuild(p.Version),
		Terms: p.terms(), Load: p.load(),
		Conns: Conns{Target: p.Conns, Peak: t.Peak, End: t.Ready, Lost: t.Counters.Losses.total(), Losses: t.Counters.Losses},
		Connect: Connect{Attempts: t.Counters.Attempts, Established: t.Counters.Established,
			Failed: t.Counters.Failures.total(), Failures: t.Counters.Failures, LatencyMs: t.Connect.percentiles(), IntendedLatencyMs: t.ConnectIntended.percentiles()},
		Heartbeat: Heartbeat{Sent: t.Counters.Pings - t.Counters.Withdrawn, Answered: t.Counters.Pongs, Unanswered: t.Counters.Unanswered,
			Missed: t.Counters.Missed, Pending: t.Counters.Pending,
			RTTms: t.RTT.percentiles(), IntendedRTTms: t.RTTIntended.percentiles(), ActualRTTms: t.RTTActual.percentiles()},
		Eviction: Eviction{Expected: t.Counters.Muted, Observed: t.Counters.Observed, Early: t.Counters.Early,
			Other: t.Counters.OtherMutes, Overlooked: t.Counters.Muted - t.Counters.Observed - t.Counters.OtherMutes, False: t.Counters.Falsely,
			GeneratorFault: t.Counters.Faults, LatenessMs: t.Lateness.lateness()},
		Server: r.servers, Promises: !p.NoPromises,
		Generator: Generator{Workers: p.Workers, LostWorkers: len(lost), LateMs: t.Late.late()},
	}
	out.Churn = r.churned(&t.Counters)
	out.Soak = r.soaked()
	out.Probes = r.probed(t)
	if why := p.unproven(&t.Counters, out.Soak); why != "" {
		out.Generator.WhyInvalid = &why
	}
	if len(lost) > 0 { // the first is the cause, if one led to another
		out.Generator.WhyInvalid = new(lost[0].Error())
	}
	if t.Counters.RampEnd > 0 && !p.told() { // several ramps, with other things between
		out.Connect.RatePerS = new(float64(t.Counters.FirstReady) / t.Counters.RampEnd.Seconds())
	}
	if _, stormed := r.fleet.StormAt(); stormed {
		out.Storm = t.Storm.report(r.facts())
		out.Storm.DrainS = secondsOf(r.drained)
		out.Cohorts = p.cohortsOf(t)
		if r.cutBy != "" {
			out.Storm.CutBy = &r.cutBy
		}
		if r.ghostsGone != nil {
			out.Storm.GhostsGoneS = new(r.ghostsGone.Seconds())
		}
	}
	return out
}

// facts are what the tally of the storm does not know.
func (r *runner) facts() stormFacts {
	p := r.plan
	return stormFacts{kind: p.Kind, policy: p.Policy, capacity: p.Capacity, pace: p.drainPace(), outage: r.outageSeen()}
}

// outageSeen is how long nobody could accept; nil: nobody can yet.
func (r *runner) outageSeen() *time.Duration {
	if !r.plan.alone() {
		return new(time.Duration)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.outage
}

// judge evaluates validity, thresholds and the verdict.
func (out *Result) judge(thresholds []Threshold, lateLimit time.Duration) error {
	g := &out.Generator
	if g.WhyInvalid == nil {
		g.WhyInvalid = out.fault(lateLimit)
	}
	g.Valid = g.WhyInvalid == nil
	var err error
	if out.Thresholds, err = evaluate(out, thresholds); err != nil {
		return err
	}
	out.Verdict = Pass
	for _, t := range out.Thresholds {
		if !t.OK {
			out.Verdict = Fail
		}
	}
	if out.Interrupted || !out.Generator.Valid {
		out.Verdict = Invalid
	}
	return nil
}

// thisBuild describes this binary and this machine. No version given: that of the module.
func thisBuild(version string) Build {
	here := machine.Describe()
	b := Build{Version: version, Go: runtime.Version(), Kernel: cmp.Or(here.Kernel, runtime.GOOS), CPUs: here.Cores, Processor: here.Processor}
	if version == "" {
		b.Version = buildVersion()
	}
	if here.Memory > 0 {
		b.MemoryBytes = &here.Memory
	}
	return b
}

// terms are null for a target that was not spawned: it may have others for each client.
func (p *plan) terms() *Terms {
	if p.Spawn == 0 {
		return nil
	}
	return &Terms{HeartbeatMs: ms(p.nodeDuration("heartbeat", p.Heartbeat)),
		TimeoutMs: ms(p.nodeDuration("timeout", p.Timeout)), TickMs: ms(p.nodeDuration("tick", p.Tick))}
}

func buildVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "unknown"
	}
	return info.Main.Version
}

// fault is the generator's own, in one sentence; nil if there was none.
func (out *Result) fault(lateLimit time.Duration) *string {
	switch late := out.Generator.LateMs; {
	case out.Connect.Failures.lacking() != "":
		return new(out.Connect.Failures.lacking())
	case out.Eviction.GeneratorFault > 0:
		return new(fmt.Sprintf("the generator itself kept %d clients silent for a timeout", out.Eviction.GeneratorFault))
	case late == nil:
		return new("no client got to do anything")
	case late.P99 > ms(lateLimit):
		return new(fmt.Sprintf("the generator was late, p99 %.1f ms; use fewer clients, a quieter machine, or more processors", late.P99))
	default:
		return nil
	}
}
