package tally

import (
	"slices"
	"time"

	"github.com/stormwheel/stormwheel/bench/result"
)

// attemptBin is the width of the bins in which attempts are counted for their peak.
const attemptBin = 100 * time.Millisecond

// Storm is what is known of a storm when it is over. Its fields are public for gob.
type Storm struct {
	Clients int             // hit
	Offline int             // of those, out at some time
	Returns []time.Duration // of those in service again: last return, minus t0
	Outages time.Duration   // summed over all outages, the lasting ones up to the end
	// OfflineTimes are the outages that are over.
	OfflineTimes *Hist
	Attempts     int      // connect() calls after t0
	PerBin       []uint32 // the same, in bins of 100 ms
	// LostPerBin and BackPerBin count the begins and ends of outages in such bins; the latter
	// up to the end of the run.
	LostPerBin, BackPerBin []uint32
	// ToldPerBin counts those that were told to move.
	ToldPerBin []uint32
}

// NewStorm is empty.
func NewStorm() Storm { return Storm{OfflineTimes: NewHist()} }

// Add takes what another swarm, or loop, has.
func (t *Storm) Add(from Storm) {
	t.Clients += from.Clients
	t.Offline += from.Offline
	t.Returns = append(t.Returns, from.Returns...)
	t.Outages += from.Outages
	t.OfflineTimes.Add(from.OfflineTimes)
	t.Attempts += from.Attempts
	t.PerBin = addBins(t.PerBin, from.PerBin)
	t.LostPerBin = addBins(t.LostPerBin, from.LostPerBin)
	t.BackPerBin = addBins(t.BackPerBin, from.BackPerBin)
}

// AddLosses adds to LostPerBin what another swarm, or loop, lost, or was told to move.
func (t *Storm) AddLosses(from *Storm) {
	t.LostPerBin = addBins(addBins(t.LostPerBin, from.LostPerBin), from.ToldPerBin)
}

func addBins(sum, more []uint32) []uint32 {
	for len(sum) < len(more) {
		sum = append(sum, 0)
	}
	for i, n := range more {
		sum[i] += n
	}
	return sum
}

// StormFacts are what a tally cannot know of its storm.
type StormFacts struct {
	Kind, Policy string
	Capacity     float64        // C; 0: unknown
	Pace         float64        // of a drain; 0: there was none
	Outage       *time.Duration // from t0 until a receiver could accept; nil: none ever could
}

// Report turns the tally into the words of Result.
func (t *Storm) Report(f StormFacts) *result.Storm {
	slices.Sort(t.Returns)
	s := &result.Storm{Kind: f.Kind, Policy: f.Policy, Clients: t.Clients, Back: len(t.Returns), Offline: t.Offline,
		OutageS: Seconds(f.Outage),
		T50S:    t.percentBack(50), T95S: t.percentBack(95), T99S: t.percentBack(99), T100S: t.percentBack(100),
		PeakAttemptsPerS:      float64(maxOf(t.PerBin)) * float64(time.Second/attemptBin),
		LostConnectionSeconds: t.Outages.Seconds()}
	if f.Capacity > 0 {
		s.CapacityPerS = &f.Capacity
	}
	if begin := t.idealFrom(f); f.Capacity > 0 && begin != nil {
		s.IdealFromS, s.IdealS = begin, new(*begin+float64(t.Clients)/f.Capacity)
	}
	if f.Pace > 0 {
		s.IdealFromS, s.IdealS = new(0.0), new(float64(t.Clients)/f.Pace)
		s.PacePerS = new(f.Pace)
		if rate := t.acceptRate(); rate > 0 {
			s.AcceptRatePerS, s.AcceptOverPace = new(rate), new(rate/f.Pace)
		}
	}
	flow(s, t.LostPerBin, t.BackPerBin)
	if s.Back > 0 {
		s.AttemptsPerSuccess = new(float64(t.Attempts) / float64(s.Back))
	}
	return s
}

// idealFrom is when a client could come back at the earliest: when a receiver could accept, and,
// if its node only stands still, when the first one has noticed. Nil: never.
func (t *Storm) idealFrom(f StormFacts) *float64 {
	if f.Outage == nil || f.Kind != "freeze" {
		return Seconds(f.Outage)
	}
	for i, n := range t.LostPerBin {
		if n > 0 {
			return new((time.Duration(i) * attemptBin).Seconds())
		}
	}
	return nil
}

// acceptRate is how many clients a second arrived between the 5th and the 95th in a
// hundred; 0 if they are too few.
func (t *Storm) acceptRate() float64 {
	first, last := len(t.Returns)*5/100, len(t.Returns)*95/100
	if last-first < 10 || t.Returns[last] == t.Returns[first] {
		return 0
	}
	return float64(last-first) / (t.Returns[last] - t.Returns[first]).Seconds()
}

// percentBack is when at least that share of all clients hit was back, never-returning
// ones included in the whole; nil when it never was.
func (t *Storm) percentBack(percent int) *float64 {
	need := (t.Clients*percent + 99) / 100
	if need == 0 || need > len(t.Returns) {
		return nil
	}
	return new(t.Returns[need-1].Seconds())
}

func maxOf(bins []uint32) uint32 {
	if len(bins) == 0 {
		return 0
	}
	return slices.Max(bins)
}

// Attempt counts one connect() at the given time after t0.
func (t *Storm) Attempt(after time.Duration) {
	t.Attempts++
	CountIn(&t.PerBin, after)
}

// CountIn adds one to the bin of a time after t0.
func CountIn(bins *[]uint32, after time.Duration) {
	ReachBin(bins, after)
	(*bins)[int(max(after, 0)/attemptBin)]++
}

// ReachBin makes the bins last up to a time after t0.
func ReachBin(bins *[]uint32, after time.Duration) {
	for len(*bins) <= int(max(after, 0)/attemptBin) {
		*bins = append(*bins, 0)
	}
}
