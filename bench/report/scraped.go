package report

import (
	"fmt"

	"github.com/stormwheel/stormwheel/bench/result"
	"github.com/stormwheel/stormwheel/internal/plot"
)

// scraped draws the series of --scrape, each on its own scale: they have units of their own, and when they turn is what
// they are there to tell.
func scraped(r Run) plot.Chart {
	var lines []plot.Layer
	for i, series := range r.Result.Detail.Scraped {
		seen := r.Result.Scraped[series.Name]
		points := scrapedPoints(series, seen)
		if seen.Max == nil || !visible(points) {
			continue
		}
		label := fmt.Sprintf("%s, at most %s", series.Name, plot.Number(*seen.Max, stepOf(*seen.Max)))
		if seen.Figure == result.FigureRate {
			label += "/s"
		}
		lines = append(lines, plot.Line{Label: label, Colour: i, Dash: plot.DashOf(i), Points: points})
	}
	if len(lines) == 0 {
		return nil
	}
	p := plot.Picture{Title: "What servers say of themselves", Note: "series of --scrape, each by its own greatest value; a counter is its growth a second",
		X: r.timeAxis(), Y: plot.FromZero("% of the greatest", 0, 100), Layers: lines[:min(len(lines), mostScraped)]}
	if t0 := r.Result.Detail.StormAtS; t0 != nil {
		p.Layers = append(p.Layers, r.blow(*t0)...)
	}
	return p
}

// mostScraped is how many lines can be told apart.
const mostScraped = 8

func scrapedPoints(series result.ScrapedSeries, seen result.Scraped) (points []plot.Point) {
	for i, at := range series.T {
		p := plot.At(at, gap)
		if i < len(series.Values) && series.Values[i] != nil && seen.Max != nil && *seen.Max > 0 {
			p.Y = 100 * *series.Values[i] / *seen.Max
		}
		points = append(points, p)
	}
	return points
}
