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

// scrapedFigures are what the series came to.
func (r Run) scrapedFigures() (rows []figure) {
	for _, series := range r.Result.Detail.Scraped {
		rows = append(rows, figure{Name: series.Name, Value: r.Result.Scraped[series.Name].Words()})
	}
	return rows
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

// scrapedPanels are the series on the timeline, each on a scale of its own.
func (r Run) scrapedPanels() (all []plot.Panel) {
	for i, series := range r.Result.Detail.Scraped {
		seen := r.Result.Scraped[series.Name]
		points := thinned(readings(series), r.stride())
		if len(all) == mostScraped || !visible(points) {
			continue
		}
		p := plot.Panel{Title: series.Name, None: "0 all the time"}
		if seen.Figure == result.FigureRate || seen.Figure == result.FigureMean {
			p.Title += ", " + seen.Figure
		}
		least, top := 0.0, most(points)
		for _, at := range points {
			if plot.Drawable(at.Y) {
				least = min(least, at.Y)
			}
		}
		if top > 0 || least < 0 {
			p.Y, p.Layers = plot.Low("", least, top), []plot.Layer{plot.Line{Colour: i, Points: points}}
		}
		all = append(all, p)
	}
	return all
}

// readings are the values of a series; a gap where there is none.
func readings(series result.ScrapedSeries) (points []plot.Point) {
	for i, at := range series.T {
		p := plot.At(at, gap)
		if i < len(series.Values) && series.Values[i] != nil {
			p.Y = *series.Values[i]
		}
		points = append(points, p)
	}
	return points
}

// thinned has the greatest of so many points each.
func thinned(points []plot.Point, stride int) (all []plot.Point) {
	for i, p := range points {
		last := len(all) - 1
		switch {
		case stride <= 1 || i%stride == 0:
			all = append(all, p)
		case !plot.Drawable(all[last].Y) || plot.Drawable(p.Y) && p.Y > all[last].Y:
			all[last] = p
		}
	}
	return all
}
