package tally

import (
	"math"
	"time"
)

// MassLoss finds where sessions began to be lost in masses: bins count, each for attemptBin, those that ended of so
// many clients. It is a CUSUM: what exceeds the drift adds up, and when that is one in a hundred of the clients, three
// at least, the loss began where the sum last was zero. So single losses before it move nothing, whether
// the others come within a tenth of a second, as when a process dies, or over a heartbeat, as when a network does.
// (E. S. Page, "Continuous Inspection Schemes", Biometrika 41, 1954.)
func MassLoss(bins []uint32, clients int) (began time.Duration, found bool) {
	many := min(max(math.Ceil(float64(clients)/massShare), massFewest), float64(max(clients, 1)))
	drift := many / driftBins
	first, sum := 0, 0.0
	for i, lost := range bins {
		if sum == 0 {
			first = i
		}
		sum = max(sum+float64(lost)-drift, 0)
		if sum >= many-10*drift { // those of a second are many
			return time.Duration(first) * attemptBin, true
		}
	}
	return 0, false
}

const (
	massShare  = 100.0 // one in so many clients is a mass
	massFewest = 3.0
	driftBins  = 100.0 // as many within so many bins, ten seconds, are none
)

// From has t0 be so much later, a multiple of attemptBin: whoever was lost and back before it is none of the
// storm's. What their outages lasted stays in the sums.
func (t *Storm) From(later time.Duration) {
	skip := int(later / attemptBin)
	cut := func(bins []uint32) []uint32 { return bins[min(skip, len(bins)):] }
	t.PerBin, t.LostPerBin, t.BackPerBin = cut(t.PerBin), cut(t.LostPerBin), cut(t.BackPerBin)
	t.Attempts = int(sumOfBins(t.PerBin))
	returns := t.Returns
	t.Returns = nil
	for _, after := range returns {
		if after >= later {
			t.Returns = append(t.Returns, after-later)
		}
	}
	before := len(returns) - len(t.Returns)
	t.Clients -= before
	t.Offline = min(t.Offline, t.Clients)
}
