package tally

import (
	"time"

	"github.com/stormwheel/stormwheel/bench/result"
)

// What is counted becomes a Result here, and only here: of a run that is over, of a second that
// has passed, and of runs that are merged.

// Facts are what a tally cannot know of its run.
type Facts struct {
	Lifetime time.Duration // mean length of a session; 0: they do not end
	Probes   int           // clients
	Ramped   bool          // all came in one ramp
	Storm    *StormFacts   // nil: there was none
	Policies []string      // of the cohorts
	Shakes   *Hist         // handshakes, in a run of those
}

// Fill writes the counts into a result.
func (c *Counters) Fill(out *result.Result) {
	out.Conns.Lost, out.Conns.Losses = c.Losses.Total(), c.Losses
	out.Connect.Attempts, out.Connect.Established = c.Attempts, c.Established
	out.Connect.Failed, out.Connect.Failures = c.Failures.Total(), c.Failures
	out.Connect.HeldBackS = c.HeldBack.Seconds()
	h := &out.Heartbeat
	h.Sent, h.Answered, h.Unanswered, h.Missed, h.Pending = c.Pings-c.Withdrawn, c.Pongs, c.Unanswered, c.Missed, c.Pending
	if c.Interval > 0 {
		h.IntervalMs = new(result.Millis(c.Interval))
	}
	out.Messages = c.Messages.fill()
	e := &out.Eviction
	e.Expected, e.Observed, e.Early, e.Other, e.False, e.GeneratorFault = c.Muted, c.Observed, c.Early, c.OtherMutes, c.Falsely, c.Faults
	e.Overlooked = c.Muted - c.Observed - c.OtherMutes
}

// Fill writes the figures of a run that is over, or of several that are merged.
func (t *Tally) Fill(out *result.Result, f *Facts) {
	n := &t.Counters
	n.Fill(out)
	out.Conns.Peak, out.Conns.End, out.Conns.OfflineMs = t.Peak, t.Ready, t.Away.Percentiles()
	out.Connect.LatencyMs, out.Connect.IntendedLatencyMs = t.Connect.Percentiles(), t.ConnectIntended.Percentiles()
	out.Heartbeat.RTTms, out.Heartbeat.IntendedRTTms, out.Heartbeat.ActualRTTms = t.RTT.Percentiles(), t.RTTIntended.Percentiles(), t.RTTActual.Percentiles()
	out.Eviction.LatenessMs, out.Generator.LateMs = t.Lateness.Lateness(), t.Late.Late()
	if m := out.Messages; m != nil {
		m.LatencyMs, m.WireLatencyMs, m.DeliverLatencyMs = t.Messages.Percentiles(), t.MessagesWire.Percentiles(), t.Deliveries.Percentiles()
		m.ConfirmLatencyMs = t.Confirmations.Percentiles()
	}
	if f.Ramped && n.RampEnd > 0 {
		out.Connect.RatePerS = new(float64(n.FirstReady) / n.RampEnd.Seconds())
	}
	if f.Lifetime > 0 {
		out.Churn = &result.Churn{LifetimeS: f.Lifetime.Seconds(), Departures: n.Departures, Returns: n.Returns, Missing: n.Departures - n.Returns}
	}
	if f.Probes > 0 {
		out.Probes = &result.Probes{Clients: f.Probes, Lost: t.Probes.Lost, RTTms: result.ProbeRTT{Before: t.Probes.Before.Percentiles(), During: t.Probes.During.Percentiles()}}
	}
	if f.Storm == nil {
		return
	}
	out.Storm = t.Storm.Report(*f.Storm)
	for i, policy := range f.Policies {
		s := t.Cohorts[i].Report(StormFacts{Policy: policy})
		out.Cohorts = append(out.Cohorts, result.Cohort{Policy: s.Policy, Clients: s.Clients, Back: s.Back, T50S: s.T50S, T95S: s.T95S, T99S: s.T99S, T100S: s.T100S,
			AttemptsPerSuccess: s.AttemptsPerSuccess, PeakAttemptsPerS: s.PeakAttemptsPerS})
	}
}

// Detail writes what the figures are made from.
func (t *Tally) Detail(d *result.Detail, f *Facts) error {
	named := map[string]*Hist{"rtt": t.RTT, "rtt_intended": t.RTTIntended, "rtt_actual": t.RTTActual,
		"connect": t.Connect, "connect_intended": t.ConnectIntended,
		"probes_before": t.Probes.Before, "probes_during": t.Probes.During, "away": t.Away, "late": t.Late, "lateness": t.Lateness}
	if f.Storm != nil {
		d.AttemptsPer100ms = t.Storm.PerBin
		d.LostPer100ms, d.BackPer100ms = t.Storm.LostPerBin, t.Storm.BackPerBin
		d.OutagesS = t.Storm.Outages.Seconds()
		for i := range f.Policies {
			named[result.CohortHistogram(i)] = returnsOf(t.Cohorts[i].Returns)
		}
		named["return"], named["offline"] = returnsOf(t.Storm.Returns), t.Storm.OfflineTimes
	}
	for name, h := range map[string]*Hist{"messages": t.Messages, "messages_wire": t.MessagesWire, "deliveries": t.Deliveries, "confirmations": t.Confirmations, "handshake": f.Shakes} {
		if h != nil && h.Count() > 0 {
			named[name] = h
		}
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

func returnsOf(times []time.Duration) *Hist {
	h := NewHist()
	for _, after := range times {
		h.Record(after)
	}
	return h
}
