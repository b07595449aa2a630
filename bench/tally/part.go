package tally

import (
	"fmt"
	"math"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/stormwheel/stormwheel/bench/result"
)

// A result that was read is a tally again, and adds up as those of swarms do.

// tallyOf is what a part has counted. Its peak is left out: it need not be that of the others.
func tallyOf(p *result.Result) (*Tally, error) {
	t := New()
	t.Counters, t.Ready = countersOf(p), p.Conns.End
	histograms := map[string]**Hist{"rtt": &t.RTT, "rtt_intended": &t.RTTIntended, "rtt_actual": &t.RTTActual,
		"connect": &t.Connect, "connect_intended": &t.ConnectIntended, "away": &t.Away, "late": &t.Late, "lateness": &t.Lateness,
		"probes_before": &t.Probes.Before, "probes_during": &t.Probes.During, "offline": &t.Storm.OfflineTimes}
	if p.Messages != nil {
		histograms["messages"], histograms["messages_wire"], histograms["deliveries"] = &t.Messages, &t.MessagesWire, &t.Deliveries
		histograms["confirmations"] = &t.Confirmations
	}
	for name, to := range histograms {
		h, err := Histogram(&p.Detail, name)
		if err != nil {
			return nil, err
		}
		*to = h
	}
	if l := p.Eviction.LatenessMs; l != nil { // the histogram holds no negative ones
		t.Lateness.Min = min(t.Lateness.Min, time.Duration(math.Round(l.Min*1000))*time.Microsecond)
	}
	if p.Probes != nil {
		t.Probes.Lost = p.Probes.Lost
	}
	if p.Storm == nil {
		return &t, nil
	}
	s, d := &t.Storm, &p.Detail
	s.Clients, s.Offline = p.Storm.Clients, p.Storm.Offline
	s.PerBin, s.LostPerBin, s.BackPerBin = d.AttemptsPer100ms, d.LostPer100ms, d.BackPer100ms
	s.Outages = time.Duration(d.OutagesS * float64(time.Second))
	for _, n := range s.PerBin {
		s.Attempts += int(n)
	}
	var err error
	if s.Returns, err = returnsIn(d, "return"); err != nil {
		return nil, err
	}
	for i, c := range p.Cohorts {
		one := NewStorm()
		one.Clients = c.Clients
		if c.AttemptsPerSuccess != nil {
			one.Attempts = int(math.Round(*c.AttemptsPerSuccess * float64(c.Back)))
		}
		if one.Returns, err = returnsIn(d, result.CohortHistogram(i)); err != nil {
			return nil, err
		}
		t.Cohorts = append(t.Cohorts, one)
	}
	return &t, nil
}

// countersOf is the reverse of counters.fill.
func countersOf(p *result.Result) Counters {
	h, e := &p.Heartbeat, &p.Eviction
	c := Counters{Attempts: p.Connect.Attempts, Established: p.Connect.Established, Failures: p.Connect.Failures, Losses: p.Conns.Losses,
		Pings: h.Sent, Pongs: h.Answered, Unanswered: h.Unanswered, Missed: h.Missed, Pending: h.Pending,
		Messages: messagesOf(p.Messages),
		Muted:    e.Expected, Observed: e.Observed, Early: e.Early, OtherMutes: e.Other, Falsely: e.False, Faults: e.GeneratorFault}
	if ms := h.IntervalMs; ms != nil {
		c.Interval = time.Duration(*ms * float64(time.Millisecond))
	}
	c.HeldBack = time.Duration(p.Connect.HeldBackS * float64(time.Second))
	if p.Churn != nil {
		c.Departures, c.Returns = p.Churn.Departures, p.Churn.Returns
	}
	return c
}

// returnsIn are the times of a histogram, to its three digits.
func returnsIn(d *result.Detail, name string) (all []time.Duration, err error) {
	h, err := Histogram(d, name)
	if err != nil {
		return nil, err
	}
	for _, b := range h.h.Distribution() {
		for range b.Count {
			all = append(all, time.Duration(b.To)*time.Microsecond)
		}
	}
	return all, nil
}

// Histogram decodes one of Detail.Histograms; it is empty if there is none.
func Histogram(d *result.Detail, name string) (*Hist, error) {
	h := NewHist()
	text, ok := d.Histograms[name]
	if !ok {
		return h, nil
	}
	decoded, err := hdrhistogram.Decode([]byte(text))
	if err != nil {
		return nil, fmt.Errorf("histogram %s: %w", name, err)
	}
	if dropped := h.h.Merge(decoded); dropped > 0 {
		return nil, fmt.Errorf("histogram %s: %d values are beyond %v", name, dropped, Longest)
	}
	if decoded.TotalCount() > 0 {
		h.Min = time.Duration(decoded.Min()) * time.Microsecond
	}
	return h, nil
}
