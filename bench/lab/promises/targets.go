package promises

import (
	"fmt"

	"github.com/stormwheel/stormwheel/bench/lab/kit"
	"github.com/stormwheel/stormwheel/bench/result"
)

// within judges the worst run: each must keep the promise.
func within(what, unit string, low, high float64, values []float64) kit.Target {
	return kit.Target{What: what, Unit: unit, AtLeast: &low, AtMost: &high, Of: kit.SampleOf(values), Worst: true}
}

func atMost(what, unit string, most float64, values []float64) kit.Target {
	return kit.Target{What: what, Unit: unit, AtMost: &most, Of: kit.SampleOf(values), Worst: true}
}

func exactly(what string, n int, values []float64) kit.Target {
	return within(what, "", float64(n), float64(n), values)
}

// calmly judges round trips against those before the blow: twice as long at most, or 10 ms
// longer.
func calmly(what string, runs int, before, got float64, shown string) kit.Target {
	return kit.Target{What: what, Unit: " ms", AtMost: new(max(2*before, before+10)), Of: kit.SampleOf([]float64{got}), Rounds: runs, Got: shown}
}

// ofSilence: all who are silent are gone in time, nobody else is, and nobody else waits.
func (s size) ofSilence(o outcome) []kit.Target {
	all := []kit.Target{
		exactly("silent clients that are evicted", s.silent, o.of(func(r *result.Result) float64 { return float64(r.Eviction.Observed) })),
		exactly("evictions that are early, or of live clients", 0, o.of(func(r *result.Result) float64 {
			return float64(r.Eviction.Early + r.Eviction.False + r.Probes.Lost)
		})),
		atMost("the last eviction, after its timeout", " ms", latest, o.of(func(r *result.Result) float64 {
			if r.Eviction.LatenessMs == nil {
				return kit.OrNever(nil)
			}
			return r.Eviction.LatenessMs.Max
		})),
		o.probed("round trip p99 of the live clients, since the others are silent"),
	}
	if evicting := o.whileEvicting(); len(evicting) > 0 && o.pooled.Probes.RTTms.Before != nil {
		all = append(all, calmly("the same in the seconds that have evictions, their median", len(o.runs),
			o.pooled.Probes.RTTms.Before.P99, kit.SampleOf(evicting).Median, kit.SampleOf(evicting).In(" ms")))
	}
	if o.turns.N > 0 {
		all = append(all, kit.Target{What: "the longest turn of a loop: 1 ms and one close", AtMost: new(longestTurn), Unit: " ms", Of: o.turns, Worst: true})
	}
	return all
}

// whileEvicting are the p99 of the seconds in which clients were evicted, of all runs.
func (o outcome) whileEvicting() []float64 {
	var all []float64
	for _, r := range o.runs {
		last := 0
		for _, s := range r.Detail.Seconds {
			if s.Evicted > last && s.RTTp99 != nil {
				all = append(all, *s.RTTp99)
			}
			last = s.Evicted
		}
	}
	return all
}

// probed compares the probes of all runs with themselves, before the blow and from then on.
func (o outcome) probed(what string) kit.Target {
	rtt := o.pooled.Probes.RTTms
	if rtt.Before == nil || rtt.During == nil {
		return kit.Target{What: what}
	}
	each := o.of(func(r *result.Result) float64 {
		if r.Probes.RTTms.During == nil {
			return kit.OrNever(nil)
		}
		return r.Probes.RTTms.During.P99
	})
	return calmly(what+", pooled", len(o.runs), rtt.Before.P99, rtt.During.P99,
		fmt.Sprintf("%s ms after %s ms; a run each: %s", kit.Number(rtt.During.P99), kit.Number(rtt.Before.P99), kit.SampleOf(each).In(" ms")))
}

// ofStorm: everybody is back when the receiver can have taken them, at the first attempt.
func (s size) ofStorm(o outcome) []kit.Target {
	ideal := s.ideal()
	return []kit.Target{
		atMost("99 % are back, in ideals", "", 1.1, o.of(func(r *result.Result) float64 { return kit.OrNever(r.Storm.T99S) / ideal })),
		atMost("all are back", " s", 1.1*ideal+1, o.of(func(r *result.Result) float64 { return kit.OrNever(r.Storm.T100S) })),
		atMost("attempts per success", "", 1.1, o.of(func(r *result.Result) float64 { return kit.OrNever(r.Storm.AttemptsPerSuccess) })),
		exactly("false evictions, and sessions lost of clients that are not hit", 0, o.of(func(r *result.Result) float64 {
			return float64(r.Eviction.False + r.Probes.Lost)
		})),
		o.probed("round trip p99 of the clients that are not hit, since the kill"),
	}
}

// ofDrain: nobody notices, and the receiver gets them at the pace it can take.
func (s size) ofDrain(o outcome) []kit.Target {
	return []kit.Target{
		exactly("clients that move", s.moved, o.of(func(r *result.Result) float64 { return float64(r.Storm.Back) })),
		exactly("of them, offline for a moment", 0, o.of(func(r *result.Result) float64 { return float64(r.Storm.Offline) })),
		within("accept rate of the receiver, by the pace of the drain", "", 0.9, 1.1, o.of(func(r *result.Result) float64 {
			return kit.OrNever(r.Storm.AcceptOverPace)
		})),
	}
}
