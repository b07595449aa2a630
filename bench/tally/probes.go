package tally

// Probes is what is known of the clients that a scenario leaves alone: the sessions that they have lost, and their
// round trips, until the blow and from then on.
type Probes struct {
	Lost           int
	Before, During *Hist
}

// NewProbes is empty.
func NewProbes() *Probes { return &Probes{Before: NewHist(), During: NewHist()} }

// Add takes what another swarm, or loop, has.
func (t *Probes) Add(from *Probes) {
	t.Lost += from.Lost
	t.Before.Add(from.Before)
	t.During.Add(from.During)
}
