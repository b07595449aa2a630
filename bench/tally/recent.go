package tally

import (
	"bytes"
	"encoding/gob"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/stormwheel/stormwheel/bench/result"
)

// Recent are coarse histograms of the last moments, for the live view and for the seconds of a
// result: two digits, 1 us to 1 min.
type Recent struct {
	RTT, Connect, Late, Lateness, Message, Deliver *hdrhistogram.Histogram
	// Overdue is how many PINGs waited for long at one time, at most; that of several swarms is added.
	// Oldest is how long the first of them had waited; 0: none has for long.
	Overdue int
	Oldest  time.Duration
}

// NewRecent is empty.
func NewRecent() *Recent {
	h := func() *hdrhistogram.Histogram { return hdrhistogram.New(1, result.LongestTime, 2) }
	return &Recent{RTT: h(), Connect: h(), Late: h(), Lateness: h(), Message: h(), Deliver: h()}
}

// RecordRecent notes a time in one of the histograms of a Recent.
func RecordRecent(h *hdrhistogram.Histogram, d time.Duration) {
	_ = h.RecordValue(min(max(d.Microseconds(), 0), result.LongestTime)) // within range by construction
}

// coarseMillis is a value of such a histogram in milliseconds.
func coarseMillis(v int64) float64 { return float64(v) / 1000 }

// Add takes what another has.
func (r *Recent) Add(from *Recent) {
	r.RTT.Merge(from.RTT)
	r.Connect.Merge(from.Connect)
	r.Late.Merge(from.Late)
	r.Lateness.Merge(from.Lateness)
	r.Message.Merge(from.Message)
	r.Deliver.Merge(from.Deliver)
	r.Overdue += from.Overdue
	r.Oldest = max(r.Oldest, from.Oldest)
}

// Reset forgets all.
func (r *Recent) Reset() {
	r.RTT.Reset()
	r.Connect.Reset()
	r.Late.Reset()
	r.Lateness.Reset()
	r.Message.Reset()
	r.Deliver.Reset()
	r.Overdue, r.Oldest = 0, 0
}

// recentWire is a Recent on its way between processes.
type recentWire struct {
	RTT, Connect, Late, Lateness, Message, Deliver *hdrhistogram.Snapshot
	Overdue                                        int
	Oldest                                         time.Duration
}

// GobEncode keeps every count.
func (r *Recent) GobEncode() ([]byte, error) {
	var b bytes.Buffer
	err := gob.NewEncoder(&b).Encode(recentWire{r.RTT.Export(), r.Connect.Export(), r.Late.Export(), r.Lateness.Export(), r.Message.Export(), r.Deliver.Export(), r.Overdue, r.Oldest})
	return b.Bytes(), err
}

// GobDecode is the reverse.
func (r *Recent) GobDecode(b []byte) error {
	var w recentWire
	if err := gob.NewDecoder(bytes.NewReader(b)).Decode(&w); err != nil {
		return err
	}
	r.RTT, r.Connect = hdrhistogram.Import(w.RTT), hdrhistogram.Import(w.Connect)
	r.Late, r.Lateness = hdrhistogram.Import(w.Late), hdrhistogram.Import(w.Lateness)
	r.Message, r.Deliver = hdrhistogram.Import(w.Message), hdrhistogram.Import(w.Deliver)
	r.Overdue, r.Oldest = w.Overdue, w.Oldest
	return nil
}

func percentilesOf(h *hdrhistogram.Histogram) *result.Percentiles {
	if h.TotalCount() == 0 {
		return nil
	}
	q := func(percent float64) float64 { return coarseMillis(h.ValueAtQuantile(percent)) }
	return &result.Percentiles{P50: q(50), P90: q(90), P99: q(99), P999: q(99.9), Max: coarseMillis(h.Max())}
}

func late(h *hdrhistogram.Histogram) *result.GeneratorLate {
	if h.TotalCount() == 0 {
		return nil
	}
	return &result.GeneratorLate{P50: coarseMillis(h.ValueAtQuantile(50)), P99: coarseMillis(h.ValueAtQuantile(99)), Max: coarseMillis(h.Max())}
}

// RTTMillis are two percentiles of the round trips.
func (r *Recent) RTTMillis() (p50, p99 float64) {
	return coarseMillis(r.RTT.ValueAtQuantile(50)), coarseMillis(r.RTT.ValueAtQuantile(99))
}

// MessageMs are those of the messages, and DeliverMs of the publications; nil: there were none.
func (r *Recent) MessageMs() *result.Percentiles { return percentilesOf(r.Message) }
func (r *Recent) DeliverMs() *result.Percentiles { return percentilesOf(r.Deliver) }

// LateMs is how late the generator was; nil if it had nothing to do.
func (r *Recent) LateMs() *result.GeneratorLate { return late(r.Late) }

// second writes the times into the row of their second.
func (r *Recent) second(s *result.Second) {
	if p := percentilesOf(r.RTT); p != nil {
		s.RTTp50, s.RTTp99, s.RTTMax = &p.P50, &p.P99, &p.Max
	}
	if r.Oldest > 0 {
		s.RTTMax = larger(s.RTTMax, new(result.Millis(r.Oldest)))
	}
	if p := late(r.Late); p != nil {
		s.LateP99 = &p.P99
	}
	if p := r.MessageMs(); p != nil {
		s.MessageP50, s.MessageP99 = &p.P50, &p.P99
	}
	if p := r.DeliverMs(); p != nil {
		s.DeliverP50, s.DeliverP99 = &p.P50, &p.P99
	}
}

// Fill writes the percentiles so far into a result.
func (r *Recent) Fill(out *result.Result) {
	out.Heartbeat.RTTms, out.Generator.LateMs = percentilesOf(r.RTT), late(r.Late)
	if m := out.Messages; m != nil {
		m.LatencyMs, m.DeliverLatencyMs = r.MessageMs(), r.DeliverMs()
	}
	if h := r.Lateness; h.TotalCount() > 0 {
		out.Eviction.LatenessMs = &result.Lateness{Min: coarseMillis(h.Min()), P50: coarseMillis(h.ValueAtQuantile(50)),
			P99: coarseMillis(h.ValueAtQuantile(99)), Max: coarseMillis(h.Max())}
	}
}
