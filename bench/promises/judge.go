package main

import (
	"fmt"
	"math"

	"github.com/stormwheel/stormwheel/bench/result"
)

// ofSilence: all who are silent are gone in time, nobody else is, and nobody else waits.
func (s size) ofSilence(o outcome) []figure {
	all := []figure{
		exactly("silent clients that are evicted", s.silent, o.of(func(r *result.Result) float64 { return float64(r.Eviction.Observed) })),
		exactly("evictions that are early, or of live clients", 0, o.of(func(r *result.Result) float64 {
			return float64(r.Eviction.Early + r.Eviction.False + r.Probes.Lost)
		})),
		atMost("the last eviction, after its timeout", ms, latest, o.of(func(r *result.Result) float64 {
			if r.Eviction.LatenessMs == nil {
				return math.Inf(1)
			}
			return r.Eviction.LatenessMs.Max
		})),
		o.probed("round trip p99 of the live clients, since the others are silent"),
	}
	if evicting := o.whileEvicting(); len(evicting) > 0 && o.pooled.Probes.RTTms.Before != nil {
		all = append(all, calmly("the same in the seconds that have evictions, their median", len(o.runs),
			o.pooled.Probes.RTTms.Before.P99, median(evicting), ms.spread(evicting)))
	}
	if len(o.turns) > 0 {
		all = append(all, atMost("the longest turn of a loop: 1 ms and one close", finely, longestTurn, o.turns))
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
func (o outcome) probed(what string) figure {
	rtt := o.pooled.Probes.RTTms
	if rtt.Before == nil || rtt.During == nil {
		return figure{what: what, wanted: "something", got: "nothing", runs: len(o.runs), missed: "not measured"}
	}
	each := o.of(func(r *result.Result) float64 {
		if r.Probes.RTTms.During == nil {
			return math.Inf(1)
		}
		return r.Probes.RTTms.During.P99
	})
	return calmly(what+", pooled", len(o.runs), rtt.Before.P99, rtt.During.P99,
		fmt.Sprintf("%s after %s; a run each: %s", ms.text(rtt.During.P99), ms.text(rtt.Before.P99), ms.spread(each)))
}

// ofStorm: everybody is back when the receiver can have taken them, at the first attempt.
func (s size) ofStorm(o outcome) []figure {
	ideal := s.ideal()
	return []figure{
		atMost("99 % are back, in ideals", ratio, 1.1, o.of(func(r *result.Result) float64 { return orNever(r.Storm.T99S) / ideal })),
		atMost("all are back", seconds, 1.1*ideal+1, o.of(func(r *result.Result) float64 { return orNever(r.Storm.T100S) })),
		atMost("attempts per success", ratio, 1.1, o.of(func(r *result.Result) float64 { return orNever(r.Storm.AttemptsPerSuccess) })),
		exactly("false evictions, and sessions lost of clients that are not hit", 0, o.of(func(r *result.Result) float64 {
			return float64(r.Eviction.False + r.Probes.Lost)
		})),
		o.probed("round trip p99 of the clients that are not hit, since the kill"),
	}
}

// ofDrain: nobody notices, and the receiver gets them at the pace it can take.
func (s size) ofDrain(o outcome) []figure {
	return []figure{
		exactly("clients that move", s.moved, o.of(func(r *result.Result) float64 { return float64(r.Storm.Back) })),
		exactly("of them, offline for a moment", 0, o.of(func(r *result.Result) float64 { return float64(r.Storm.Offline) })),
		within("accept rate of the receiver, by the pace of the drain", ratio, 0.9, 1.1, o.of(func(r *result.Result) float64 {
			return orNever(r.Storm.AcceptOverPace)
		})),
	}
}

func orNever(v *float64) float64 {
	if v == nil {
		return math.Inf(1)
	}
	return *v
}
