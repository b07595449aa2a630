package result

import (
	"fmt"
	"slices"
)

// Series of --scrape have readings of their own times, not of the seconds; a span of them is made of those.

// ofScraped says whether the figure is one of a series that can have a span: scraped.NAME.min, mean, max or last.
func (t Threshold) ofScraped() bool {
	return len(t.path) == 3 && t.path[0] == "scraped" && slices.Contains([]string{"min", "mean", "max", "last"}, t.path[2])
}

// scrapedWithin is such a figure in the span. The error says why there is none.
func (t Threshold) scrapedWithin(r *Result) (*float64, error) {
	i := slices.IndexFunc(r.Detail.Scraped, func(s ScrapedSeries) bool { return s.Name == t.path[1] })
	if i < 0 {
		return nil, fmt.Errorf("no series of that name was read")
	}
	var allBack *float64
	if r.Storm != nil {
		allBack = r.Storm.T100S
	}
	parts, err := t.span.intervals(&r.Detail, allBack, r.WallS)
	if err != nil {
		return nil, err
	}
	series := r.Detail.Scraped[i]
	var in []float64
	for k, at := range series.T {
		if v := series.Values[k]; v != nil && slices.ContainsFunc(parts, func(p interval) bool { return p.has(at) }) {
			in = append(in, *v)
		}
	}
	if len(in) == 0 {
		return nil, fmt.Errorf("there was no reading in %s", t.span.text)
	}
	switch t.path[2] {
	case "min":
		return new(slices.Min(in)), nil
	case "max":
		return new(slices.Max(in)), nil
	case "last":
		return &in[len(in)-1], nil
	}
	sum := 0.0
	for _, v := range in {
		sum += v
	}
	return new(sum / float64(len(in))), nil
}
