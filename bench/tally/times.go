package tally

import (
	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/stormwheel/stormwheel/bench/result"
)

// SetTimes writes the times of a second into its row.
func (r *Recent) SetTimes(s *result.Second) error {
	s.Histograms = map[string]string{}
	for name, h := range r.named() {
		if err := setTimes(s, name, h); err != nil {
			return err
		}
	}
	return nil
}

// named are those that a row has.
func (r *Recent) named() map[string]*hdrhistogram.Histogram {
	return map[string]*hdrhistogram.Histogram{"rtt": r.RTT, "rtt_intended": r.RTTIntended, "rtt_actual": r.RTTActual, "connect": r.Connect, "late": r.Late, "messages": r.Message, "deliveries": r.Deliver}
}

// SetTimes writes the times of handshakes into the row of their second; h may be nil.
func (h *Hist) SetTimes(s *result.Second, name string) error {
	if h.Count() == 0 {
		return nil
	}
	coarse := hdrhistogram.New(1, result.LongestTime, 2)
	for _, b := range h.h.Distribution() {
		_ = coarse.RecordValues(min(b.To, result.LongestTime), b.Count) // within range by construction
	}
	return setTimes(s, name, coarse)
}

func setTimes(s *result.Second, name string, h *hdrhistogram.Histogram) error {
	if h.TotalCount() == 0 {
		return nil
	}
	text, err := h.Encode(hdrhistogram.V2CompressedEncodingCookieBase)
	if s.Histograms == nil {
		s.Histograms = map[string]string{}
	}
	if err == nil {
		s.Histograms[name] = string(text)
	}
	return err
}

// addTimes are those of two rows of the same second; nil if one of them does not know.
func addTimes(s, o *result.Second) map[string]string {
	if s.Histograms == nil || o.Histograms == nil {
		return nil
	}
	sum := map[string]string{}
	for _, row := range []*result.Second{s, o} {
		for name, text := range row.Histograms {
			if sum[name] != "" {
				text = together(s, o, name)
			}
			sum[name] = text
		}
	}
	return sum
}

// together are the times of a name of two rows; what can't be read is left to whoever reads it.
func together(s, o *result.Second, name string) string {
	t := result.NewTimes()
	for _, row := range []*result.Second{s, o} {
		if t.Add(row, name) != nil {
			return row.Histograms[name]
		}
	}
	text, err := t.Text()
	if err != nil {
		return s.Histograms[name]
	}
	return text
}
