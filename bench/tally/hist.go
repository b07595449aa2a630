package tally

import (
	"bytes"
	"encoding/gob"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/stormwheel/stormwheel/bench/result"
)

// Hist is a histogram of durations in microseconds, 1 us to 1 h, three significant
// digits: about 180 KiB. The smallest value is kept beside it, because lateness may be
// negative and the histogram holds no negative values. Owned by one goroutine.
type Hist struct {
	h   *hdrhistogram.Histogram
	Min time.Duration
}

// Longest is the longest time that a histogram holds; a longer one counts as this.
const Longest = time.Hour

// NewHist is empty.
func NewHist() *Hist {
	return &Hist{h: hdrhistogram.New(1, Longest.Microseconds(), 3), Min: Longest}
}

// Record counts one time.
func (h *Hist) Record(d time.Duration) {
	h.Min = min(h.Min, d)
	// Within the range by construction, so that it cannot fail.
	_ = h.h.RecordValue(max(0, min(d, Longest)).Microseconds())
}

// Add takes what another has.
func (h *Hist) Add(from *Hist) {
	h.h.Merge(from.h)
	h.Min = min(h.Min, from.Min)
}

// histWire is a hist on its way between processes.
type histWire struct {
	Counts *hdrhistogram.Snapshot
	Min    time.Duration
}

// GobEncode keeps every count.
func (h *Hist) GobEncode() ([]byte, error) {
	var b bytes.Buffer
	err := gob.NewEncoder(&b).Encode(histWire{h.h.Export(), h.Min})
	return b.Bytes(), err
}

// GobDecode is the reverse.
func (h *Hist) GobDecode(b []byte) error {
	var w histWire
	if err := gob.NewDecoder(bytes.NewReader(b)).Decode(&w); err != nil {
		return err
	}
	h.h, h.Min = hdrhistogram.Import(w.Counts), w.Min
	return nil
}

// Count is how many times were recorded; h may be nil.
func (h *Hist) Count() int {
	if h == nil {
		return 0
	}
	return int(h.h.TotalCount())
}

// Quantile returns milliseconds.
func (h *Hist) Quantile(percent float64) float64 {
	return float64(h.h.ValueAtQuantile(percent)) / 1000
}

func (h *Hist) maxMs() float64 { return float64(h.h.Max()) / 1000 }

// Percentiles are nil if there are no times.
func (h *Hist) Percentiles() *result.Percentiles {
	if h.Count() == 0 {
		return nil
	}
	return &result.Percentiles{P50: h.Quantile(50), P90: h.Quantile(90), P99: h.Quantile(99),
		P999: h.Quantile(99.9), Max: h.maxMs()}
}

// Lateness is nil if there are no times.
func (h *Hist) Lateness() *result.Lateness {
	if h.Count() == 0 {
		return nil
	}
	return &result.Lateness{Min: result.Millis(h.Min), P50: h.Quantile(50), P99: h.Quantile(99), Max: h.maxMs()}
}

// Late is nil if there are no times.
func (h *Hist) Late() *result.GeneratorLate {
	if h.Count() == 0 {
		return nil
	}
	return &result.GeneratorLate{P50: h.Quantile(50), P99: h.Quantile(99), Max: h.maxMs()}
}

// text is the histogram as Detail.Histograms has it.
func (h *Hist) text() (string, error) {
	b, err := h.h.Encode(hdrhistogram.V2CompressedEncodingCookieBase)
	return string(b), err
}
