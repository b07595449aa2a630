package report

import (
	"math"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/stormwheel/stormwheel/internal/plot"
)

// dist is a distribution: bins in rising order, each with its count. Values are those of
// the histogram times the unit that was asked for: toSeconds, or toMs.
type dist struct {
	bins  []plot.Bin
	total float64
}

const (
	toSeconds = 1e-6 // the histograms are in microseconds
	toMs      = 1e-3
)

// distribution decodes one of the run's histograms; it is empty when there is none, or
// none that can be read.
func (r Run) distribution(name string, unit float64) dist {
	var d dist
	text, ok := r.Result.Detail.Histograms[name]
	if !ok {
		return d
	}
	h, err := hdrhistogram.Decode([]byte(text))
	if err != nil {
		return d
	}
	for _, b := range h.Distribution() {
		if b.Count > 0 {
			d.bins = append(d.bins, plot.Bin{From: float64(b.From) * unit, To: float64(b.To) * unit, Count: float64(b.Count)})
			d.total += float64(b.Count)
		}
	}
	return d
}

// max is the greatest value; 0 of nothing.
func (d dist) max() float64 {
	if len(d.bins) == 0 {
		return 0
	}
	return d.bins[len(d.bins)-1].To
}

// cumulative is how many were at or below each value, from (0, 0), times scale.
func (d dist) cumulative(scale float64) []plot.Point {
	points := []plot.Point{plot.At(0, 0)}
	var sum float64
	for _, b := range d.bins {
		sum += b.Count
		points = append(points, plot.At(b.To, sum*scale))
	}
	return points
}

// spectrum is the value at each percentile, for an axis of plot.Percentiles. It ends where
// one value in the total is.
func (d dist) spectrum() []plot.Point {
	var points []plot.Point
	var sum float64
	for _, b := range d.bins {
		points = append(points, plot.At(plot.Nines(sum, d.total), b.To))
		sum += b.Count
		points = append(points, plot.At(plot.Nines(sum, d.total), b.To))
	}
	return points
}

// rebinned counts the values in bins of equal width from 0.
func (d dist) rebinned(width float64) []plot.Bin {
	var bins []plot.Bin
	for _, b := range d.bins {
		i := max(math.Floor((b.From+b.To)/2/width), 0)
		if last := len(bins) - 1; last >= 0 && bins[last].From == i*width {
			bins[last].Count += b.Count
			continue
		}
		bins = append(bins, plot.Bin{From: i * width, To: (i + 1) * width, Count: b.Count})
	}
	return bins
}
