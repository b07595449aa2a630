package tally

import (
	"time"

	"github.com/stormwheel/stormwheel/bench/result"
)

// sum adds a figure of all parts. What one of them does not know is not known of the whole.
func sum[T int | int64 | float64](parts []*result.Result, of func(*result.Result) *T) *T {
	var all T
	for _, p := range parts {
		v := of(p)
		if v == nil {
			return nil
		}
		all += *v
	}
	return &all
}

// latest is the greatest of a figure, nil if one is not known.
func latest(parts []*result.Result, of func(*result.Result) *float64) *float64 {
	var most float64
	for i, p := range parts {
		v := of(p)
		if v == nil {
			return nil
		}
		if i == 0 || *v > most {
			most = *v
		}
	}
	return &most
}

// factsOf is what a tally of all parts cannot know.
func factsOf(parts []*result.Result) *Facts {
	f, first := &Facts{}, parts[0]
	for _, p := range parts {
		if p.Churn != nil {
			f.Lifetime = time.Duration(p.Churn.LifetimeS * float64(time.Second))
		}
		if p.Probes != nil {
			f.Probes += p.Probes.Clients
		}
	}
	if first.Storm != nil { // all have the same kind
		f.Storm = &StormFacts{Kind: first.Storm.Kind, Policy: first.Storm.Policy}
		if outage := latest(parts, func(p *result.Result) *float64 { return p.Storm.OutageS }); outage != nil {
			f.Storm.Outage = new(time.Duration(*outage * float64(time.Second)))
		}
	}
	for _, c := range first.Cohorts {
		f.Policies = append(f.Policies, c.Policy)
	}
	return f
}

// mergeRates adds what the machines took and did.
func mergeRates(out *result.Result, parts []*result.Result) {
	out.Conns.Ghosts = sum(parts, func(p *result.Result) *int { return p.Conns.Ghosts })
	out.Connect.RatePerS = sum(parts, func(p *result.Result) *float64 { return p.Connect.RatePerS })
	out.Connect.TargetPerS = sum(parts, func(p *result.Result) *float64 { return p.Connect.TargetPerS })
	out.Generator.CPUS = sum(parts, func(p *result.Result) *float64 { return p.Generator.CPUS })
	out.Generator.MachineCPUS = sum(parts, func(p *result.Result) *float64 { return p.Generator.MachineCPUS })
	out.Generator.StolenS = sum(parts, func(p *result.Result) *float64 { return p.Generator.StolenS })
	out.Generator.RSSBytes = sum(parts, func(p *result.Result) *int64 { return p.Generator.RSSBytes })
}

// mergeStorms corrects what the sum of the storms says: each client's return counts from its own
// part's t0, so do the bins, and the machines' rates are added.
func mergeStorms(out *result.Result, parts []*result.Result) {
	s := out.Storm
	if s == nil {
		return
	}
	s.CutBy, s.T0By, s.Command = parts[0].Storm.CutBy, parts[0].Storm.T0By, parts[0].Storm.Command
	for _, p := range parts {
		if s.Command == nil { // one of several machines runs it
			s.Command = p.Storm.Command
		}
		if by := p.Storm.CutBy; s.CutBy != nil && by != nil && *s.CutBy != *by {
			s.CutBy = new(result.CutByReset) // not all of it was silent
		}
	}
	of := func(figure func(*result.Storm) *float64) func(*result.Result) *float64 {
		return func(p *result.Result) *float64 { return figure(p.Storm) }
	}
	s.OutageS = latest(parts, of(func(s *result.Storm) *float64 { return s.OutageS }))
	s.GhostsGoneS = latest(parts, of(func(s *result.Storm) *float64 { return s.GhostsGoneS }))
	s.DrainS = latest(parts, of(func(s *result.Storm) *float64 { return s.DrainS }))
	s.IdealFromS, s.IdealS = latest(parts, of(func(s *result.Storm) *float64 { return s.IdealFromS })), nil
	if capacity := sum(parts, of(capacityOf)); capacity != nil && *capacity > 0 {
		s.IdealS = new(zeroIfNil(s.IdealFromS) + float64(s.Clients) / *capacity)
	}
	s.CapacityPerS = sum(parts, of(func(s *result.Storm) *float64 { return s.CapacityPerS }))
	s.PacePerS = sum(parts, of(func(s *result.Storm) *float64 { return s.PacePerS }))
	s.AcceptRatePerS, s.AcceptOverPace = sum(parts, of(func(s *result.Storm) *float64 { return s.AcceptRatePerS })), nil
	if s.PacePerS != nil && s.AcceptRatePerS != nil && *s.PacePerS > 0 {
		s.AcceptOverPace = new(*s.AcceptRatePerS / *s.PacePerS)
	}
	// The peaks of cohorts need not have been at one time; their sum is the most that it can have been.
	for i := range out.Cohorts {
		out.Cohorts[i].PeakAttemptsPerS = 0
		for _, p := range parts {
			if i < len(p.Cohorts) {
				out.Cohorts[i].PeakAttemptsPerS += p.Cohorts[i].PeakAttemptsPerS
			}
		}
	}
}

// capacityOf is what the receivers of a storm admitted a second, as its ideal has it; nil if nobody said.
func capacityOf(s *result.Storm) *float64 {
	if s.IdealS == nil || *s.IdealS <= zeroIfNil(s.IdealFromS) {
		return nil
	}
	return new(float64(s.Clients) / (*s.IdealS - zeroIfNil(s.IdealFromS)))
}

func zeroIfNil(v *float64) float64 {
	if v == nil {
		return 0
	}
	return *v
}

func mergeKernels(parts []*result.Result) result.Kernel {
	of := func(counter func(*result.Kernel) *int64) *int64 {
		return sum(parts, func(p *result.Result) *int64 { return counter(&p.Kernel) })
	}
	return result.Kernel{
		ListenOverflows: of(func(k *result.Kernel) *int64 { return k.ListenOverflows }),
		ListenDrops:     of(func(k *result.Kernel) *int64 { return k.ListenDrops }),
		ReqQFullDrop:    of(func(k *result.Kernel) *int64 { return k.ReqQFullDrop }),
		ReqQFullCookies: of(func(k *result.Kernel) *int64 { return k.ReqQFullCookies }),
		SyncookiesSent:  of(func(k *result.Kernel) *int64 { return k.SyncookiesSent }),
		AbortOnClose:    of(func(k *result.Kernel) *int64 { return k.AbortOnClose }),
		AbortOnData:     of(func(k *result.Kernel) *int64 { return k.AbortOnData }),
		AbortOnTimeout:  of(func(k *result.Kernel) *int64 { return k.AbortOnTimeout }),
		AbortOnMemory:   of(func(k *result.Kernel) *int64 { return k.AbortOnMemory }),
		BacklogDrop:     of(func(k *result.Kernel) *int64 { return k.BacklogDrop }),
		Timeouts:        of(func(k *result.Kernel) *int64 { return k.Timeouts }),
	}
}

// mergeMemory weighs the parts' figures by their sessions. What the kernels kept is added:
// each part is taken to have a machine of its own.
func mergeMemory(parts []*result.Result) result.Memory {
	sessions := 0
	for _, p := range parts {
		sessions += p.Conns.End
	}
	share := func(perConn func(*result.Memory) *float64) *float64 {
		all := sum(parts, func(p *result.Result) *float64 {
			if v := perConn(&p.Memory); v != nil {
				return new(*v * float64(p.Conns.End))
			}
			return nil
		})
		if all == nil || sessions == 0 {
			return nil
		}
		return new(*all / float64(sessions))
	}
	return result.Memory{
		ServerBytesPerConn:    share(func(m *result.Memory) *float64 { return m.ServerBytesPerConn }),
		GeneratorBytesPerConn: share(func(m *result.Memory) *float64 { return m.GeneratorBytesPerConn }),
		KernelBytesPerConn:    share(func(m *result.Memory) *float64 { return m.KernelBytesPerConn }),
		KernelBytes:           sum(parts, func(p *result.Result) *int64 { return p.Memory.KernelBytes }),
		SlabBytes:             sum(parts, func(p *result.Result) *int64 { return p.Memory.SlabBytes }),
		TCPPages:              sum(parts, func(p *result.Result) *int64 { return p.Memory.TCPPages }),
	}
}
