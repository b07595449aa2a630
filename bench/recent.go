package bench

import (
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// recents are coarse histograms of the last moments, for the live view: two digits, 10 us
// to 1 min.
type recents struct{ RTT, Late, Lateness *hdrhistogram.Histogram }

func newRecents() *recents {
	h := func() *hdrhistogram.Histogram { return hdrhistogram.New(1, recentMax, 2) }
	return &recents{RTT: h(), Late: h(), Lateness: h()}
}

const recentMax = 6_000_000 // of 10 us

func recordRecent(h *hdrhistogram.Histogram, d time.Duration) {
	_ = h.RecordValue(min(max(d.Microseconds()/10, 0), recentMax)) // within range by construction
}

func recentMs(v int64) float64 { return float64(v) / 100 }

func (r *recents) merge(from *recents) {
	r.RTT.Merge(from.RTT)
	r.Late.Merge(from.Late)
	r.Lateness.Merge(from.Lateness)
}

func (r *recents) reset() {
	r.RTT.Reset()
	r.Late.Reset()
	r.Lateness.Reset()
}

// recentsWire is recents on their way between processes.
type recentsWire struct{ RTT, Late, Lateness *hdrhistogram.Snapshot }

func (r *recents) export() *recentsWire {
	return &recentsWire{r.RTT.Export(), r.Late.Export(), r.Lateness.Export()}
}

func (w *recentsWire) recents() *recents {
	return &recents{hdrhistogram.Import(w.RTT), hdrhistogram.Import(w.Late), hdrhistogram.Import(w.Lateness)}
}

func percentilesOf(h *hdrhistogram.Histogram) *Percentiles {
	if h.TotalCount() == 0 {
		return nil
	}
	q := func(percent float64) float64 { return recentMs(h.ValueAtQuantile(percent)) }
	return &Percentiles{P50: q(50), P90: q(90), P99: q(99), P999: q(99.9), Max: recentMs(h.Max())}
}

func lateOf(h *hdrhistogram.Histogram) *GeneratorLate {
	if h.TotalCount() == 0 {
		return nil
	}
	return &GeneratorLate{P50: recentMs(h.ValueAtQuantile(50)), P99: recentMs(h.ValueAtQuantile(99)), Max: recentMs(h.Max())}
}

// fill has the percentiles so far.
func (r *recents) fill(out *Result) {
	out.Heartbeat.RTTms, out.Generator.LateMs = percentilesOf(r.RTT), lateOf(r.Late)
	if h := r.Lateness; h.TotalCount() > 0 {
		out.Eviction.LatenessMs = &Lateness{Min: recentMs(h.Min()), P50: recentMs(h.ValueAtQuantile(50)),
			P99: recentMs(h.ValueAtQuantile(99)), Max: recentMs(h.Max())}
	}
}
