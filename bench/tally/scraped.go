package tally

import (
	"slices"

	"github.com/stormwheel/stormwheel/bench/result"
)

// mergeScraped has the series of all parts, on the clock of the whole. One that several machines read, of the same
// URL, is that of the first.
func mergeScraped(out *result.Result, parts []*result.Result) {
	read := map[[2]string]bool{} // by URL and series
	for _, p := range parts {
		for _, series := range p.Detail.Scraped {
			seen, known := p.Scraped[series.Name]
			if key := [2]string{seen.URL, seen.Series}; !known || read[key] {
				continue
			} else {
				read[key] = true
			}
			name := series.Name
			for _, taken := out.Scraped[name]; taken; _, taken = out.Scraped[name] {
				name += "_2"
			}
			if out.Scraped == nil {
				out.Scraped = map[string]result.Scraped{}
			}
			out.Scraped[name] = seen
			series.Name, series.T = name, slices.Clone(series.T)
			for i := range series.T {
				series.T[i] += p.Started.Sub(out.Started).Seconds()
			}
			out.Detail.Scraped = append(out.Detail.Scraped, series)
		}
	}
}
