package bench

import (
	"math"
	"slices"
	"time"
)

// mergeStorms adds recoveries up. Each client's return counts from its own part's t0, so do
// the bins.
func mergeStorms(parts []*Result, returns *hist) *Storm {
	if parts[0].Storm == nil { // all have the same kind
		return nil
	}
	out := &Storm{Kind: parts[0].Storm.Kind, Policy: parts[0].Storm.Policy}
	var bins, lost, regained []uint32
	var capacity, pace, accepted *float64
	for i, p := range parts {
		s := p.Storm
		out.Clients += s.Clients
		out.Back += s.Back
		out.Offline += s.Offline
		if i == 0 {
			out.CutBy = s.CutBy
		} else if out.CutBy != nil && s.CutBy != nil && *out.CutBy != *s.CutBy {
			out.CutBy = new(cutByReset) // not all of it was silent
		}
		out.GhostsGoneS = latest(out.GhostsGoneS, s.GhostsGoneS, i == 0)
		out.LostConnectionSeconds += s.LostConnectionSeconds
		bins = addBins(bins, p.Detail.AttemptsPer100ms)
		lost, regained = addBins(lost, p.Detail.LostPer100ms), addBins(regained, p.Detail.BackPer100ms)
		out.OutageS, out.DrainS = latest(out.OutageS, s.OutageS, i == 0), latest(out.DrainS, s.DrainS, i == 0)
		var c *float64
		if s.IdealS != nil && *s.IdealS > zeroIfNil(s.IdealFromS) {
			c = new(float64(s.Clients) / (*s.IdealS - zeroIfNil(s.IdealFromS)))
		}
		out.IdealFromS = latest(out.IdealFromS, s.IdealFromS, i == 0)
		capacity = sumOf(capacity, c, i == 0)
		pace = sumOf(pace, s.PacePerS, i == 0)
		accepted = sumOf(accepted, s.AcceptRatePerS, i == 0)
	}
	if capacity != nil && *capacity > 0 {
		out.IdealS = new(zeroIfNil(out.IdealFromS) + float64(out.Clients) / *capacity)
	}
	flow(out, lost, regained)
	out.PacePerS, out.AcceptRatePerS = pace, accepted
	if pace != nil && accepted != nil && *pace > 0 {
		out.AcceptOverPace = new(*accepted / *pace)
	}
	back := func(percent int) *float64 { return returns.percentBack(out.Clients, percent) }
	out.T50S, out.T95S, out.T99S, out.T100S = back(50), back(95), back(99), back(100)
	attempts := 0
	for _, n := range bins {
		attempts += int(n)
	}
	if out.Back > 0 {
		out.AttemptsPerSuccess = new(float64(attempts) / float64(out.Back))
	}
	out.PeakAttemptsPerS = float64(maxOf(bins)) * float64(time.Second/attemptBin)
	return out
}

// rank is the n-th smallest value, from 1, to three significant digits.
func (h *hist) rank(n int) time.Duration {
	var seen int64
	for _, b := range h.h.Distribution() {
		if seen += b.Count; seen >= int64(n) {
			return time.Duration(b.To) * time.Microsecond
		}
	}
	return time.Duration(h.h.Max()) * time.Microsecond
}

// mergeMemory weighs the parts' figures by their sessions. What the kernels kept is added:
// each part is taken to have a machine of its own.
func mergeMemory(parts []*Result) Memory {
	var out Memory
	sessions := 0
	var server, generator, kernel *float64
	weighed := func(perConn *float64, n int) *float64 {
		if perConn == nil {
			return nil
		}
		return new(*perConn * float64(n))
	}
	added := func(sum, more *int64, first bool) *int64 {
		switch {
		case more == nil || sum == nil && !first:
			return nil
		case first:
			return new(*more)
		default:
			return new(*sum + *more)
		}
	}
	for i, p := range parts {
		n, m, first := p.Conns.End, &p.Memory, i == 0
		sessions += n
		server = sumOf(server, weighed(m.ServerBytesPerConn, n), first)
		generator = sumOf(generator, weighed(m.GeneratorBytesPerConn, n), first)
		kernel = sumOf(kernel, weighed(m.KernelBytesPerConn, n), first)
		out.KernelBytes = added(out.KernelBytes, m.KernelBytes, first)
		out.SlabBytes = added(out.SlabBytes, m.SlabBytes, first)
		out.TCPPages = added(out.TCPPages, m.TCPPages, first)
	}
	share := func(sum *float64) *float64 {
		if sum == nil || sessions == 0 {
			return nil
		}
		return new(*sum / float64(sessions))
	}
	out.ServerBytesPerConn, out.GeneratorBytesPerConn, out.KernelBytesPerConn = share(server), share(generator), share(kernel)
	return out
}

// mergeSeconds adds the seconds of the clock: rates are summed, and a part that has no row
// for a second, or has ended, counts with its last state.
func (out *Result) mergeSeconds(parts []*Result) {
	d := &out.Detail
	base := out.Started.Unix()
	var at []map[int]Second
	last := 0
	out.Conns.Peak = out.Conns.End // the parts' own peaks need not be at one time
	for _, p := range parts {
		rows := map[int]Second{}
		offset := p.Started.Sub(time.Unix(base, 0)).Seconds()
		for _, s := range p.Detail.Seconds {
			k := int(math.Round(offset + s.T))
			if earlier, twice := rows[k]; twice { // the row before came late
				s = s.after(&earlier)
			}
			rows[k] = s
			last = max(last, k)
		}
		at = append(at, rows)
		out.Conns.Peak = max(out.Conns.Peak, p.Conns.Peak)
		if p.Detail.StormAtS != nil {
			t0 := p.Started.Sub(out.Started).Seconds() + *p.Detail.StormAtS
			if d.StormAtS == nil || t0 < *d.StormAtS {
				d.StormAtS = &t0
			}
		}
		d.AttemptsPer100ms = addBins(d.AttemptsPer100ms, p.Detail.AttemptsPer100ms)
		d.LostPer100ms, d.BackPer100ms = addBins(d.LostPer100ms, p.Detail.LostPer100ms), addBins(d.BackPer100ms, p.Detail.BackPer100ms)
		d.OutagesS += p.Detail.OutagesS
	}
	states := make([]Second, len(parts))
	for i, p := range parts { // nothing is known of a node before its first row
		if len(p.Detail.Seconds) > 0 {
			states[i].Servers = make([]ServerSecond, len(p.Detail.Seconds[0].Servers))
		}
	}
	for k := 0; k <= last; k++ {
		sum, any := Second{T: out.secondAt(base, k)}, false
		for i, rows := range at {
			s, present := rows[k]
			if !present {
				s = states[i].idle()
			}
			any = any || present
			states[i] = s
			sum.add(&s)
		}
		if any {
			d.Seconds = append(d.Seconds, sum)
			out.Conns.Peak = max(out.Conns.Peak, sum.Ready)
		}
	}
}

// secondAt is a second of the clock as the merged rows have it.
func (out *Result) secondAt(base int64, k int) float64 {
	return time.Unix(base+int64(k), 0).Sub(out.Started).Seconds()
}

// idle is the state of a second in which nothing was counted.
func (s *Second) idle() Second {
	return Second{Ready: s.Ready, Muted: s.Muted, Evicted: s.Evicted, Early: s.Early, False: s.False,
		StormClients: s.StormClients, StormBack: s.StormBack, Servers: s.Servers}
}

// after is s with what was counted in a row of the same second before it.
func (s Second) after(o *Second) Second {
	s.Attempts += o.Attempts
	s.Established += o.Established
	s.Goodput += o.Goodput
	s.Pings += o.Pings
	s.Pongs += o.Pongs
	s.RTTp50, s.RTTp99 = larger(s.RTTp50, o.RTTp50), larger(s.RTTp99, o.RTTp99)
	return s
}

// add adds another part's row of the same second.
func (s *Second) add(o *Second) {
	*s = s.after(o)
	s.Ready += o.Ready
	s.Muted += o.Muted
	s.Evicted += o.Evicted
	s.Early += o.Early
	s.False += o.False
	s.StormClients += o.StormClients
	s.StormBack += o.StormBack
	s.Servers = slices.Concat(s.Servers, o.Servers)
}

func larger(a, b *float64) *float64 {
	if a == nil || b != nil && *b > *a {
		return b
	}
	return a
}

// percentBack is when so many percent of the clients were back; nil when they never were.
func (h *hist) percentBack(clients, percent int) *float64 {
	need := (clients*percent + 99) / 100
	if need == 0 || need > h.count() {
		return nil
	}
	return new(h.rank(need).Seconds())
}

func zeroIfNil(v *float64) float64 {
	if v == nil {
		return 0
	}
	return *v
}

// latest is the greater of both, nil if one is not known.
func latest(a, b *float64, first bool) *float64 {
	switch {
	case first:
		return b
	case a == nil || b == nil:
		return nil
	default:
		return new(max(*a, *b))
	}
}

// mergeCohorts adds cohorts of the same place: the parts have the same --cohorts. Their
// peaks need not have been at one time; the sum is the most that it can have been.
func mergeCohorts(parts []*Result, hists map[string]*hist) []Cohort {
	var all []Cohort
	attempts := make([]float64, len(parts[0].Cohorts))
	for i, c := range parts[0].Cohorts {
		sum := Cohort{Policy: c.Policy}
		for _, p := range parts {
			if i >= len(p.Cohorts) {
				continue
			}
			c := p.Cohorts[i]
			sum.Clients += c.Clients
			sum.Back += c.Back
			sum.PeakAttemptsPerS += c.PeakAttemptsPerS
			if c.AttemptsPerSuccess != nil {
				attempts[i] += *c.AttemptsPerSuccess * float64(c.Back)
			}
		}
		h := hists[cohortHistogram(i)].orNone()
		sum.T50S, sum.T95S, sum.T99S, sum.T100S = h.percentBack(sum.Clients, 50), h.percentBack(sum.Clients, 95),
			h.percentBack(sum.Clients, 99), h.percentBack(sum.Clients, 100)
		if sum.Back > 0 {
			sum.AttemptsPerSuccess = new(attempts[i] / float64(sum.Back))
		}
		all = append(all, sum)
	}
	return all
}
