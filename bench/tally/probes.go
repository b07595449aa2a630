package tally

// Probes is what the loops know of probes.
type Probes struct {
	Lost           int
	Before, During *Hist
}

func NewProbes() *Probes { return &Probes{Before: NewHist(), During: NewHist()} }

func (t *Probes) Add(from *Probes) {
	t.Lost += from.Lost
	t.Before.Add(from.Before)
	t.During.Add(from.During)
}
