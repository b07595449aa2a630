package bench

// probeTally is what the loops know of probes.
type probeTally struct {
	Lost           int
	Before, During *hist
}

func newProbeTally() *probeTally { return &probeTally{Before: newHist(), During: newHist()} }

func (t *probeTally) merge(from *probeTally) {
	t.Lost += from.Lost
	t.Before.merge(from.Before)
	t.During.merge(from.During)
}
