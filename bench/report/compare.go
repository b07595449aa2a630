package report

import (
	"fmt"

	"github.com/stormwheel/stormwheel/bench/result"
	"github.com/stormwheel/stormwheel/internal/plot"
)

// compared is a figure of several runs, as text.
type compared struct {
	Name, Unit string
	Cells      []string
	// Intervals are how sure each cell is, as far as its seconds tell; empty: they do not.
	Intervals []string
}

// mainFigures are those that a comparison shows; step is the least difference worth showing.
var mainFigures = []struct {
	name, unit string
	step       float64
	of         func(*result.Result) *float64
}{
	{"handshakes ended", "", 1, handshake(func(h *result.Handshake) *float64 { return count(h.Ended) })},
	{"handshakes failed", "", 1, handshake(func(h *result.Handshake) *float64 { return count(h.Failed) })},
	{"handshakes", "1/s", 1, handshake(func(h *result.Handshake) *float64 { return h.PerS })},
	{"handshake p50", "ms", .01, shakeLatency(func(p *result.Percentiles) *float64 { return &p.P50 })},
	{"handshake p99", "ms", .01, shakeLatency(func(p *result.Percentiles) *float64 { return &p.P99 })},
	{"servers' processor time for one", "us", 1, handshake(func(h *result.Handshake) *float64 { return h.ServerCPUUs })},
	{"clients at the end", "", 1, clients(func(r *result.Result) *float64 { return count(r.Conns.End) })},
	{"ramp", "1/s", 1, func(r *result.Result) *float64 { return r.Connect.RatePerS }},
	{"arrival to WELCOME p99", "ms", .1, func(r *result.Result) *float64 {
		if r.Connect.IntendedLatencyMs == nil {
			return nil
		}
		return &r.Connect.IntendedLatencyMs.P99
	}},
	{"connect to WELCOME p99", "ms", .01, func(r *result.Result) *float64 {
		if r.Connect.LatencyMs == nil {
			return nil
		}
		return &r.Connect.LatencyMs.P99
	}},
	{"round trip p50", "ms", .01, rtt(func(p *result.Percentiles) *float64 { return &p.P50 })},
	{"round trip p99", "ms", .01, rtt(func(p *result.Percentiles) *float64 { return &p.P99 })},
	{"round trip p99.9", "ms", .01, rtt(func(p *result.Percentiles) *float64 { return &p.P999 })},
	{"PINGs unanswered", "", 1, clients(func(r *result.Result) *float64 {
		if r.Old() {
			return nil
		}
		return count(r.Heartbeat.Unanswered)
	})},
	{"messages sent", "", 1, messages(func(m *result.Messages) *float64 { return count(m.Sent) })},
	{"messages refused", "", 1, messages(func(m *result.Messages) *float64 { return count(m.Refused) })},
	{"messages lost", "", 1, messages(func(m *result.Messages) *float64 { return count(m.Lost) })},
	{"messages held and lost", "", 1, messages(func(m *result.Messages) *float64 { return count(m.HeldLost) })},
	{"messages doubled", "", 1, messages(func(m *result.Messages) *float64 { return count(m.Doubled) })},
	{"message p50", "ms", .01, latency(func(m *result.Messages) *result.Percentiles { return m.LatencyMs }, func(p *result.Percentiles) *float64 { return &p.P50 })},
	{"message p99", "ms", .01, latency(func(m *result.Messages) *result.Percentiles { return m.LatencyMs }, func(p *result.Percentiles) *float64 { return &p.P99 })},
	{"message on the wire p99", "ms", .01, latency(func(m *result.Messages) *result.Percentiles { return m.WireLatencyMs }, func(p *result.Percentiles) *float64 { return &p.P99 })},
	{"publications", "", 1, messages(func(m *result.Messages) *float64 { return count(m.Published) })},
	{"publications undelivered", "", 1, messages(func(m *result.Messages) *float64 { return count(m.Undelivered) })},
	{"fan-out p50", "ms", .01, latency(func(m *result.Messages) *result.Percentiles { return m.DeliverLatencyMs }, func(p *result.Percentiles) *float64 { return &p.P50 })},
	{"fan-out p99", "ms", .01, latency(func(m *result.Messages) *result.Percentiles { return m.DeliverLatencyMs }, func(p *result.Percentiles) *float64 { return &p.P99 })},
	{"false evictions", "", 1, clients(func(r *result.Result) *float64 { return count(r.Eviction.False) })},
	{"eviction lateness p99", "ms", .1, func(r *result.Result) *float64 {
		if r.Eviction.LatenessMs == nil {
			return nil
		}
		return &r.Eviction.LatenessMs.P99
	}},
	{"clients hit", "", 1, storm(func(s *result.Storm) *float64 { return count(s.Clients) })},
	{"clients back", "", 1, storm(func(s *result.Storm) *float64 { return count(s.Back) })},
	{"ideal", "s", .01, storm(func(s *result.Storm) *float64 { return s.IdealS })},
	{"t50", "s", .01, storm(func(s *result.Storm) *float64 { return s.T50S })},
	{"t95", "s", .01, storm(func(s *result.Storm) *float64 { return s.T95S })},
	{"t99", "s", .01, storm(func(s *result.Storm) *float64 { return s.T99S })},
	{"t100", "s", .01, storm(func(s *result.Storm) *float64 { return s.T100S })},
	{"attempts per success", "", .01, storm(func(s *result.Storm) *float64 { return s.AttemptsPerSuccess })},
	{"busiest 100 ms of attempts", "1/s", 1, storm(func(s *result.Storm) *float64 { return &s.PeakAttemptsPerS })},
	{"goodput, best second", "1/s", 1, goodput(func(g *result.Goodput) *float64 { return &g.Best })},
	{"goodput, median", "1/s", 1, goodput(func(g *result.Goodput) *float64 { return &g.Median })},
	{"longest time without a return", "s", .1, storm(func(s *result.Storm) *float64 { return s.LongestGapS })},
	{"time lost", "connection-s", 1, storm(func(s *result.Storm) *float64 { return &s.LostConnectionSeconds })},
	{"generator late p99", "ms", .01, func(r *result.Result) *float64 {
		if r.Generator.LateMs == nil {
			return nil
		}
		return &r.Generator.LateMs.P99
	}},
}

func rtt(of func(*result.Percentiles) *float64) func(*result.Result) *float64 {
	return func(r *result.Result) *float64 {
		if r.Heartbeat.RTTms == nil {
			return nil
		}
		return of(r.Heartbeat.RTTms)
	}
}

func messages(of func(*result.Messages) *float64) func(*result.Result) *float64 {
	return func(r *result.Result) *float64 {
		if r.Messages == nil {
			return nil
		}
		return of(r.Messages)
	}
}

func latency(of func(*result.Messages) *result.Percentiles, quantile func(*result.Percentiles) *float64) func(*result.Result) *float64 {
	return messages(func(m *result.Messages) *float64 {
		if p := of(m); p != nil {
			return quantile(p)
		}
		return nil
	})
}

func goodput(of func(*result.Goodput) *float64) func(*result.Result) *float64 {
	return storm(func(s *result.Storm) *float64 {
		if s.GoodputPerS == nil {
			return nil
		}
		return of(s.GoodputPerS)
	})
}

func storm(of func(*result.Storm) *float64) func(*result.Result) *float64 {
	return func(r *result.Result) *float64 {
		if r.Storm == nil {
			return nil
		}
		return of(r.Storm)
	}
}

// compare lists the figures that any of the runs has, with their ratios to the first's.
func compare(runs []Run) []compared {
	rows := []compared{{Name: "verdict"}}
	for _, r := range runs {
		rows[0].Cells = append(rows[0].Cells, string(r.Result.Verdict))
	}
	for _, f := range mainFigures {
		row, any := compared{Name: f.name, Unit: f.unit}, false
		var first *float64
		for i, r := range runs {
			v := f.of(r.Result)
			if i == 0 {
				first = v
			}
			any = any || v != nil
			row.Cells = append(row.Cells, cell(v, first, f.step, i > 0))
		}
		if of, told := timedFigures[f.name]; told && any {
			row.Intervals = of.intervals(runs, f.step)
		}
		if any {
			rows = append(rows, row)
		}
	}
	return rows
}

func cell(v, first *float64, step float64, ratio bool) string {
	switch {
	case v == nil:
		return "none"
	case !ratio || first == nil || *first == 0:
		return plot.Number(*v, step)
	default:
		return fmt.Sprintf("%s (%.2f)", plot.Number(*v, step), *v / *first)
	}
}
