package result

import "fmt"

// Scraped is what one series of a target's own metrics came to over the run. A value is what the series said; of a
// counter its growth a second, of a histogram or summary the mean of what it observed, each since the reading before.
type Scraped struct {
	URL    string `json:"url"`
	Series string `json:"series"` // as it was chosen
	Figure string `json:"figure"` // FigureValue, FigureRate or FigureMean; empty: it was never read
	// Readings had a value, and Failed are the others, the first of which failed for FirstFailure.
	Readings     int      `json:"readings"`
	Failed       int      `json:"failed"`
	FirstFailure *string  `json:"first_failure"`
	Min          *float64 `json:"min"`
	Mean         *float64 `json:"mean"`
	Max          *float64 `json:"max"`
	Last         *float64 `json:"last"`
}

// What the values of a series are.
const (
	FigureValue = "value"
	FigureRate  = "per second"
	FigureMean  = "mean"
)

// ScrapedSeries are the readings of a series, on the clock of Seconds.
type ScrapedSeries struct {
	Name   string     `json:"name"`
	T      []float64  `json:"t_s"`
	Values []*float64 `json:"values"` // null: it could not be read, or said nothing
}

// Words are what the readings came to.
func (s Scraped) Words() string {
	words := "never read"
	if s.Readings > 0 {
		words = fmt.Sprintf("min %s  mean %s  max %s  last %s", telling(s.Min), telling(s.Mean), telling(s.Max), telling(s.Last))
		switch s.Figure {
		case FigureRate:
			words += ", growth a second"
		case FigureMean:
			words += ", mean of what was observed"
		}
	}
	if s.Failed > 0 && s.FirstFailure != nil {
		words += fmt.Sprintf("; %d of %d readings failed, the first: %s", s.Failed, s.Failed+s.Readings, *s.FirstFailure)
	}
	return words
}
