package bench

import "time"

// What is counted becomes a Result here, and only here: of a run that is over, of a second that
// has passed, and of runs that are merged.

// facts are what a tally cannot know of its run.
type facts struct {
	lifetime time.Duration // mean length of a session; 0: they do not end
	probes   int           // clients
	ramped   bool          // all came in one ramp
	storm    *stormFacts   // nil: there was none
	policies []string      // of the cohorts
}

// fill has the counts.
func (c *counters) fill(out *Result) {
	out.Conns.Lost, out.Conns.Losses = c.Losses.total(), c.Losses
	out.Connect.Attempts, out.Connect.Established = c.Attempts, c.Established
	out.Connect.Failed, out.Connect.Failures = c.Failures.total(), c.Failures
	h := &out.Heartbeat
	h.Sent, h.Answered, h.Unanswered, h.Missed, h.Pending = c.Pings-c.Withdrawn, c.Pongs, c.Unanswered, c.Missed, c.Pending
	e := &out.Eviction
	e.Expected, e.Observed, e.Early, e.Other, e.False, e.GeneratorFault = c.Muted, c.Observed, c.Early, c.OtherMutes, c.Falsely, c.Faults
	e.Overlooked = c.Muted - c.Observed - c.OtherMutes
}

// fill has the figures of a run that is over.
func (t *tally) fill(out *Result, f *facts) {
	n := &t.Counters
	n.fill(out)
	out.Conns.Peak, out.Conns.End = t.Peak, t.Ready
	out.Connect.LatencyMs, out.Connect.IntendedLatencyMs = t.Connect.percentiles(), t.ConnectIntended.percentiles()
	out.Heartbeat.RTTms, out.Heartbeat.IntendedRTTms, out.Heartbeat.ActualRTTms = t.RTT.percentiles(), t.RTTIntended.percentiles(), t.RTTActual.percentiles()
	out.Eviction.LatenessMs, out.Generator.LateMs = t.Lateness.lateness(), t.Late.late()
	if f.ramped && n.RampEnd > 0 {
		out.Connect.RatePerS = new(float64(n.FirstReady) / n.RampEnd.Seconds())
	}
	if f.lifetime > 0 {
		out.Churn = &Churn{LifetimeS: f.lifetime.Seconds(), Departures: n.Departures, Returns: n.Returns, Missing: n.Departures - n.Returns}
	}
	if f.probes > 0 {
		out.Probes = &Probes{Clients: f.probes, Lost: t.Probes.Lost, RTTms: ProbeRTT{Before: t.Probes.Before.percentiles(), During: t.Probes.During.percentiles()}}
	}
	if f.storm == nil {
		return
	}
	out.Storm = t.Storm.report(*f.storm)
	for i, policy := range f.policies {
		s := t.Cohorts[i].report(stormFacts{policy: policy})
		out.Cohorts = append(out.Cohorts, Cohort{Policy: s.Policy, Clients: s.Clients, Back: s.Back, T50S: s.T50S, T95S: s.T95S, T99S: s.T99S, T100S: s.T100S,
			AttemptsPerSuccess: s.AttemptsPerSuccess, PeakAttemptsPerS: s.PeakAttemptsPerS})
	}
}

// detail has what the figures are made from.
func (t *tally) detail(d *Detail, f *facts) error {
	named := map[string]*hist{"rtt": t.RTT, "rtt_intended": t.RTTIntended, "rtt_actual": t.RTTActual,
		"connect": t.Connect, "connect_intended": t.ConnectIntended,
		"probes_before": t.Probes.Before, "probes_during": t.Probes.During, "late": t.Late, "lateness": t.Lateness}
	if f.storm != nil {
		d.AttemptsPer100ms = t.Storm.PerBin
		d.LostPer100ms, d.BackPer100ms = t.Storm.LostPerBin, t.Storm.BackPerBin
		d.OutagesS = t.Storm.Outages.Seconds()
		for i := range f.policies {
			named[cohortHistogram(i)] = returnsOf(t.Cohorts[i].Returns)
		}
		named["return"], named["offline"] = returnsOf(t.Storm.Returns), t.Storm.OfflineTimes
	}
	d.Histograms = map[string]string{}
	for name, h := range named {
		text, err := h.text()
		if err != nil {
			return err
		}
		d.Histograms[name] = text
	}
	return nil
}

func returnsOf(times []time.Duration) *hist {
	h := newHist()
	for _, after := range times {
		h.record(after)
	}
	return h
}
