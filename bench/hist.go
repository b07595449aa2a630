package bench

import (
	"bytes"
	"encoding/gob"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// hist is a histogram of durations in microseconds, 1 us to 1 h, three significant
// digits: about 180 KiB. The smallest value is kept beside it, because lateness may be
// negative and the histogram holds no negative values. Owned by one goroutine.
type hist struct {
	h   *hdrhistogram.Histogram
	min time.Duration
}

const histMax = time.Hour

func newHist() *hist {
	return &hist{h: hdrhistogram.New(1, histMax.Microseconds(), 3), min: histMax}
}

func (h *hist) record(d time.Duration) {
	h.min = min(h.min, d)
	// Within the range by construction, so that it cannot fail.
	_ = h.h.RecordValue(max(0, min(d, histMax)).Microseconds())
}

func (h *hist) merge(from *hist) {
	h.h.Merge(from.h)
	h.min = min(h.min, from.min)
}

// histWire is a hist on its way between processes.
type histWire struct {
	Counts *hdrhistogram.Snapshot
	Min    time.Duration
}

// GobEncode keeps every count.
func (h *hist) GobEncode() ([]byte, error) {
	var b bytes.Buffer
	err := gob.NewEncoder(&b).Encode(histWire{h.h.Export(), h.min})
	return b.Bytes(), err
}

// GobDecode is the reverse.
func (h *hist) GobDecode(b []byte) error {
	var w histWire
	if err := gob.NewDecoder(bytes.NewReader(b)).Decode(&w); err != nil {
		return err
	}
	h.h, h.min = hdrhistogram.Import(w.Counts), w.Min
	return nil
}

func (h *hist) count() int { return int(h.h.TotalCount()) }

// quantile returns milliseconds.
func (h *hist) quantile(percent float64) float64 {
	return float64(h.h.ValueAtQuantile(percent)) / 1000
}

func (h *hist) maxMs() float64 { return float64(h.h.Max()) / 1000 }

func (h *hist) percentiles() *Percentiles {
	if h.count() == 0 {
		return nil
	}
	return &Percentiles{P50: h.quantile(50), P90: h.quantile(90), P99: h.quantile(99),
		P999: h.quantile(99.9), Max: h.maxMs()}
}

func (h *hist) lateness() *Lateness {
	if h.count() == 0 {
		return nil
	}
	return &Lateness{Min: ms(h.min), P50: h.quantile(50), P99: h.quantile(99), Max: h.maxMs()}
}

func (h *hist) late() *GeneratorLate {
	if h.count() == 0 {
		return nil
	}
	return &GeneratorLate{P50: h.quantile(50), P99: h.quantile(99), Max: h.maxMs()}
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// text is the histogram as Detail.Histograms has it.
func (h *hist) text() (string, error) {
	b, err := h.h.Encode(hdrhistogram.V2CompressedEncodingCookieBase)
	return string(b), err
}
