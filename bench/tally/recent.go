package tally

import (
	"encoding/binary"
	"errors"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/stormwheel/stormwheel/bench/result"
)

// Recent are coarse histograms of the last moments, for the live view and for the seconds of a
// result: two digits, 1 us to 1 min.
type Recent struct {
	RTT, RTTIntended, RTTActual, Connect, Late, Lateness, Message, Deliver *hdrhistogram.Histogram
	// Overdue is how many PINGs waited for long at one time, at most; that of several swarms is added.
	// Oldest is how long the first of them had waited; 0: none has for long.
	Overdue int
	Oldest  time.Duration
}

// NewRecent is empty.
func NewRecent() *Recent {
	h := func() *hdrhistogram.Histogram { return hdrhistogram.New(1, result.LongestTime, 2) }
	return &Recent{RTT: h(), RTTIntended: h(), RTTActual: h(), Connect: h(), Late: h(), Lateness: h(), Message: h(), Deliver: h()}
}

// RecordRecent notes a time in one of the histograms of a Recent.
func RecordRecent(h *hdrhistogram.Histogram, d time.Duration) {
	_ = h.RecordValue(min(max(d.Microseconds(), 0), result.LongestTime)) // within range by construction
}

// coarseMillis is a value of such a histogram in milliseconds.
func coarseMillis(v int64) float64 { return float64(v) / 1000 }

// Add takes what another has.
func (r *Recent) Add(from *Recent) {
	theirs := from.all()
	for i, h := range r.all() {
		(*h).Merge(*theirs[i])
	}
	r.Overdue += from.Overdue
	r.Oldest = max(r.Oldest, from.Oldest)
}

// Reset forgets all.
func (r *Recent) Reset() {
	for _, h := range r.all() {
		if (*h).TotalCount() > 0 {
			(*h).Reset()
		}
	}
	r.Overdue, r.Oldest = 0, 0
}

// all are its histograms, in the order in which they travel.
func (r *Recent) all() [8]**hdrhistogram.Histogram {
	return [...]**hdrhistogram.Histogram{&r.RTT, &r.RTTIntended, &r.RTTActual, &r.Connect, &r.Late, &r.Lateness, &r.Message, &r.Deliver}
}

// GobEncode keeps every count. Few of the thousands are not 0, and every worker of a run is asked at the same moment, once a
// second: so only those travel, each as the step from the one before and the number.
func (r *Recent) GobEncode() ([]byte, error) {
	b := binary.AppendUvarint(binary.AppendUvarint(nil, uint64(r.Overdue)), uint64(r.Oldest))
	for _, h := range r.all() {
		if (*h).TotalCount() > 0 {
			b = appendCounts(b, (*h).Export().Counts)
		}
		b = binary.AppendUvarint(b, 0) // no step: it ends
	}
	return b, nil
}

func appendCounts(b []byte, counts []int64) []byte {
	latest := -1
	for i, n := range counts {
		if n > 0 {
			b = binary.AppendUvarint(binary.AppendUvarint(b, uint64(i-latest)), uint64(n))
			latest = i
		}
	}
	return b
}

var errRecent = errors.New("the times of a worker's latest second make no sense")

// GobDecode is the reverse.
func (r *Recent) GobDecode(b []byte) error {
	*r = *NewRecent()
	broken := false
	next := func() uint64 {
		v, n := binary.Uvarint(b)
		if n <= 0 {
			broken = true
			return 0
		}
		b = b[n:]
		return v
	}
	r.Overdue, r.Oldest = int(next()), time.Duration(next())
	for _, h := range r.all() {
		s := (*h).Export()
		at := -1
		for step := next(); step > 0; step = next() {
			if step > uint64(len(s.Counts)-1-at) {
				return errRecent
			}
			at += int(step)
			s.Counts[at] = int64(next())
		}
		if at >= 0 {
			*h = hdrhistogram.Import(s)
		}
	}
	if broken || len(b) > 0 {
		return errRecent
	}
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
