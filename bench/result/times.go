package result

import (
	"fmt"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// timesOf are the times that Second.Histograms has, by the path of their percentiles.
var timesOf = map[string]string{
	"heartbeat.rtt_ms":            "rtt",
	"heartbeat.intended_rtt_ms":   "rtt_intended",
	"heartbeat.rtt_actual_ms":     "rtt_actual",
	"connect.latency_ms":          "connect",
	"messages.latency_ms":         "messages",
	"messages.deliver_latency_ms": "deliveries",
	"handshake.latency_ms":        "handshake",
	"generator.late_ms":           "late",
}

// quantiles are in percent, by the names of their figures.
var quantiles = map[string]float64{"p50": 50, "p90": 90, "p99": 99, "p999": 99.9, "max": 100}

// Times are what was measured in some seconds, to two digits, from a microsecond to a minute. Owned by
// one goroutine.
type Times struct{ h *hdrhistogram.Histogram }

// NewTimes is empty.
func NewTimes() *Times { return &Times{hdrhistogram.New(1, LongestTime, 2)} }

// LongestTime is the longest that a second tells apart, in microseconds.
const LongestTime = 60_000_000

// Add adds the times of a name of a second. A second that has none is one in which nothing was measured.
func (t *Times) Add(s *Second, name string) error {
	text, some := s.Histograms[name]
	if !some {
		return nil
	}
	h, err := hdrhistogram.Decode([]byte(text))
	if err != nil {
		return fmt.Errorf("the times %q of second %.1f: %w", name, s.T, err)
	}
	t.h.Merge(h)
	return nil
}

// Count is how many there are.
func (t *Times) Count() int { return int(t.h.TotalCount()) }

// AddAll takes what another has.
func (t *Times) AddAll(o *Times) { t.h.Merge(o.h) }

// Reset forgets all.
func (t *Times) Reset() { t.h.Reset() }

// Ms is the time in milliseconds that so many percent did not exceed; nil: there are none.
func (t *Times) Ms(percent float64) *float64 {
	if t.h.TotalCount() == 0 {
		return nil
	}
	return new(float64(t.h.ValueAtQuantile(percent)) / 1000)
}

// Text is how Second.Histograms has them.
func (t *Times) Text() (string, error) {
	text, err := t.h.Encode(hdrhistogram.V2CompressedEncodingCookieBase)
	return string(text), err
}

// Bar is so many times of one length.
type Bar struct {
	Ms    float64
	Count int
}

// Bars are the times, the shortest first.
func (t *Times) Bars() (all []Bar) {
	for _, b := range t.h.Distribution() {
		if b.Count > 0 {
			all = append(all, Bar{float64(b.To) / 1000, int(b.Count)})
		}
	}
	return all
}
