package report

import (
	"math"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// dist is a distribution: bins in rising order, each with its count. Values are those of
// the histogram times the unit that was asked for.
type dist struct {
	bins  []bin
	total float64
}

type bin struct{ from, to, count float64 }

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
			d.bins = append(d.bins, bin{float64(b.From) * unit, float64(b.To) * unit, float64(b.Count)})
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
	return d.bins[len(d.bins)-1].to
}

// cumulative is how many were at or below each value, from (0, 0), times scale.
func (d dist) cumulative(scale float64) []point {
	points := []point{{0, 0}}
	var sum float64
	for _, b := range d.bins {
		sum += b.count
		points = append(points, point{b.to, sum * scale})
	}
	return points
}

// spectrum is the value at each percentile p, over -log10(1-p): 90 %, 99 % and 99.9 % are
// equally far apart. It ends where one value in the total is.
func (d dist) spectrum() []point {
	var points []point
	var sum float64
	for _, b := range d.bins {
		points = append(points, point{nines(sum, d.total), b.to})
		sum += b.count
		points = append(points, point{nines(sum, d.total), b.to})
	}
	return points
}

func nines(rank, total float64) float64 {
	return -math.Log10(max(total-rank, 1) / max(total, 1))
}

// rebinned counts the values in bins of equal width from 0.
func (d dist) rebinned(width float64) []bin {
	var bins []bin
	for _, b := range d.bins {
		i := max(math.Floor((b.from+b.to)/2/width), 0)
		if last := len(bins) - 1; last >= 0 && bins[last].from == i*width {
			bins[last].count += b.count
			continue
		}
		bins = append(bins, bin{i * width, (i + 1) * width, b.count})
	}
	return bins
}
