package tally

import (
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/stormwheel/stormwheel/bench/result"
)

// Recent are coarse histograms of the last moments, for the live view: two digits, 10 us
// to 1 min.
type Recent struct{ RTT, Late, Lateness *hdrhistogram.Histogram }

func NewRecent() *Recent {
	h := func() *hdrhistogram.Histogram { return hdrhistogram.New(1, recentMax, 2) }
	return &Recent{RTT: h(), Late: h(), Lateness: h()}
}

const recentMax = 6_000_000 // of 10 us

func RecordRecent(h *hdrhistogram.Histogram, d time.Duration) {
	_ = h.RecordValue(min(max(d.Microseconds()/10, 0), recentMax)) // within range by construction
}

func RecentMillis(v int64) float64 { return float64(v) / 100 }

func (r *Recent) Add(from *Recent) {
	r.RTT.Merge(from.RTT)
	r.Late.Merge(from.Late)
	r.Lateness.Merge(from.Lateness)
}

func (r *Recent) Reset() {
	r.RTT.Reset()
	r.Late.Reset()
	r.Lateness.Reset()
}

// RecentWire is recents on their way between processes.
type RecentWire struct{ RTT, Late, Lateness *hdrhistogram.Snapshot }

func (r *Recent) Export() *RecentWire {
	return &RecentWire{r.RTT.Export(), r.Late.Export(), r.Lateness.Export()}
}

func (w *RecentWire) Recent() *Recent {
	return &Recent{hdrhistogram.Import(w.RTT), hdrhistogram.Import(w.Late), hdrhistogram.Import(w.Lateness)}
}

func percentilesOf(h *hdrhistogram.Histogram) *result.Percentiles {
	if h.TotalCount() == 0 {
		return nil
	}
	q := func(percent float64) float64 { return RecentMillis(h.ValueAtQuantile(percent)) }
	return &result.Percentiles{P50: q(50), P90: q(90), P99: q(99), P999: q(99.9), Max: RecentMillis(h.Max())}
}

func Late(h *hdrhistogram.Histogram) *result.GeneratorLate {
	if h.TotalCount() == 0 {
		return nil
	}
	return &result.GeneratorLate{P50: RecentMillis(h.ValueAtQuantile(50)), P99: RecentMillis(h.ValueAtQuantile(99)), Max: RecentMillis(h.Max())}
}

// Fill has the percentiles so far.
func (r *Recent) Fill(out *result.Result) {
	out.Heartbeat.RTTms, out.Generator.LateMs = percentilesOf(r.RTT), Late(r.Late)
	if h := r.Lateness; h.TotalCount() > 0 {
		out.Eviction.LatenessMs = &result.Lateness{Min: RecentMillis(h.Min()), P50: RecentMillis(h.ValueAtQuantile(50)),
			P99: RecentMillis(h.ValueAtQuantile(99)), Max: RecentMillis(h.Max())}
	}
}
