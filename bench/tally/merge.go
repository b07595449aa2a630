package tally

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/stormwheel/stormwheel/bench/result"
)

// Merge makes one result of runs that several machines made together. Nothing is lost:
// counts, bins and histograms are added, percentiles are taken from the sums, the seconds
// are those of the clock. Rates are added. thresholds are judged beyond those of the parts,
// whose promises noPromises waives. The error is an ExitError, that of the verdict included; a
// result comes with that.
func Merge(parts []*result.Result, thresholds []string, noPromises bool, command []string) (*result.Result, error) {
	if err := result.Alike(parts); err != nil {
		return nil, err
	}
	promises, asked := result.Together(parts, true), result.Together(parts, false)
	if noPromises {
		promises = nil
	}
	judged, err := result.ReadThresholds(promises, slices.Concat(asked, thresholds))
	if err != nil {
		return nil, err
	}
	out, err := mergeAll(parts, command)
	if err != nil {
		return nil, &result.ExitError{Code: result.ExitUsage, Err: err}
	}
	out.Promises = out.Promises && !noPromises
	// The parts have judged their own punctuality.
	if err := out.Judge(judged, math.MaxInt64); err != nil {
		return nil, err
	}
	if out.Verdict == result.Invalid {
		return out, &result.ExitError{Code: result.ExitInvalid, Err: errors.New("invalid: " + *out.Generator.WhyInvalid)}
	}
	return out, out.Err()
}

// mergeAll adds what the parts have counted, and makes the result of the sum. What no swarm counts
// is added here, one by one.
func mergeAll(parts []*result.Result, command []string) (*result.Result, error) {
	first := parts[0]
	out := &result.Result{Schema: result.Schema, Scenario: first.Scenario, Seed: first.Seed, Build: first.Build, Terms: first.Terms,
		Load: first.Load, Promises: !slices.ContainsFunc(parts, func(p *result.Result) bool { return !p.Promises })}
	total := New()
	for i, p := range parts {
		t, err := tallyOf(p)
		if err != nil {
			return nil, fmt.Errorf("part %d: %w", i+1, err)
		}
		total.Add(t)
		addPart(out, i, p)
	}
	f := factsOf(parts)
	total.Fill(out, f)
	mergeRates(out, parts)
	mergeStorms(out, parts)
	if !slices.ContainsFunc(parts, func(p *result.Result) bool { return p.Soak == nil }) {
		out.Soak = mergeSoaks(parts)
	}
	out.Kernel, out.Memory = mergeKernels(parts), mergeMemory(parts)
	out.Detail.Command = command
	if err := total.Detail(&out.Detail, f); err != nil {
		return nil, err
	}
	span(out)
	mergeScraped(out, parts)
	out.Detail.Phases = mergePhases(out, parts)
	mergeSeconds(out, parts)
	return out, nil
}

// addPart adds what is not counted.
func addPart(out *result.Result, i int, p *result.Result) {
	if len(p.Parts) > 0 {
		out.Parts = append(out.Parts, p.Parts...)
	} else {
		out.Parts = append(out.Parts, result.Part{Seed: p.Seed, Started: p.Started, WallS: p.WallS, Clients: p.Conns.Target, Verdict: p.Verdict})
	}
	out.Conns.Target += p.Conns.Target
	out.Generator.Workers += p.Generator.Workers
	out.Generator.LostWorkers += p.Generator.LostWorkers
	out.Generator.LateLimitMs = max(out.Generator.LateLimitMs, p.Generator.LateLimitMs)
	out.Generator.PingGridMs = max(out.Generator.PingGridMs, p.Generator.PingGridMs)
	if i > 0 {
		addBuild(&out.Build, &p.Build)
	}
	for _, s := range p.Server { // runs may have had the same target
		if !slices.ContainsFunc(out.Server, func(o result.Server) bool { return sameServer(&o, &s) }) {
			out.Server = append(out.Server, s)
		}
	}
	out.Interrupted = out.Interrupted || p.Interrupted
	if out.Generator.WhyInvalid == nil {
		switch {
		case p.Generator.WhyInvalid != nil:
			out.Generator.WhyInvalid = new(fmt.Sprintf("part %d: %s", i+1, *p.Generator.WhyInvalid))
		case p.Verdict == result.Invalid || p.Interrupted:
			out.Generator.WhyInvalid = new(fmt.Sprintf("part %d was interrupted", i+1))
		}
	}
}

// span is the time from the first start to the last end.
func span(out *result.Result) {
	first := slices.MinFunc(out.Parts, func(a, b result.Part) int { return a.Started.Compare(b.Started) })
	out.Started = first.Started
	for _, p := range out.Parts {
		out.WallS = max(out.WallS, p.Started.Sub(out.Started).Seconds()+p.WallS)
	}
}

// sameServer: the address and the process are the same, and the name.
func sameServer(a, b *result.Server) bool {
	return a.Addr == b.Addr && equal(a.Node, b.Node) && equal(a.PID, b.PID)
}

func equal[T comparable](a, b *T) bool { return a == b || a != nil && b != nil && *a == *b }

// addBuild makes one machine of two: what they have is added, what they are is listed.
func addBuild(b, o *result.Build) {
	for _, text := range [][2]*string{{&b.Version, &o.Version}, {&b.Go, &o.Go}, {&b.Kernel, &o.Kernel}, {&b.Processor, &o.Processor}} {
		if !slices.Contains(strings.Split(*text[0], " + "), *text[1]) {
			*text[0] += " + " + *text[1]
		}
	}
	b.CPUs += o.CPUs
	b.LocalPorts = min(b.LocalPorts, o.LocalPorts)
	if b.MemoryBytes != nil && o.MemoryBytes != nil {
		b.MemoryBytes = new(*b.MemoryBytes + *o.MemoryBytes)
	} else {
		b.MemoryBytes = nil
	}
}
