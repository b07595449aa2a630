package bench

import (
	"slices"
	"time"
)

// attemptBin is the width of the bins in which attempts are counted for their peak.
const attemptBin = 100 * time.Millisecond

// outage is what a storm did to one client.
type outage struct {
	at      time.Duration // while out: of the loss; else: of the last return
	hit     bool          // lost a ready session at or after t0, or was told to move it
	out     bool          // is without a session, and not in service again
	moving  bool          // was told to move, and has not
	offline bool          // was out at some time
}

// lose notes the loss of a ready session, or of one that was about to be in service.
func (o *outage) lose(now time.Duration) {
	*o = outage{at: now, hit: true, out: true, offline: true}
}

// moved notes that the session was handed over while it went on.
func (o *outage) moved(now time.Duration) { o.at, o.moving = now, false }

// back notes a return to service and gives the length of the outage that it ends.
func (o *outage) back(now time.Duration) time.Duration {
	length := now - o.at
	*o = outage{at: now, hit: true, offline: true}
	return length
}

// stormTally is what the loops hand to tallyStorm when a storm is over.
type stormTally struct {
	Clients int             // hit
	Offline int             // of those, out at some time
	Returns []time.Duration // of those in service again: last return, minus t0
	Outages time.Duration   // summed over all outages, the lasting ones up to the end
	// OfflineTimes are the outages that are over.
	OfflineTimes *hist
	Attempts     int      // connect() calls after t0
	PerBin       []uint32 // the same, by attemptBin
	// LostPerBin and BackPerBin count the begins and ends of outages, by attemptBin; the latter
	// up to the end of the run.
	LostPerBin, BackPerBin []uint32
}

func newStormTally() stormTally { return stormTally{OfflineTimes: newHist()} }

func (t *stormTally) merge(from stormTally) {
	t.Clients += from.Clients
	t.Offline += from.Offline
	t.Returns = append(t.Returns, from.Returns...)
	t.Outages += from.Outages
	t.OfflineTimes.merge(from.OfflineTimes)
	t.Attempts += from.Attempts
	t.PerBin = addBins(t.PerBin, from.PerBin)
	t.LostPerBin = addBins(t.LostPerBin, from.LostPerBin)
	t.BackPerBin = addBins(t.BackPerBin, from.BackPerBin)
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

// stormFacts are what a tally cannot know of its storm.
type stormFacts struct {
	kind, policy string
	capacity     float64        // C; 0: unknown
	pace         float64        // of a drain; 0: there was none
	outage       *time.Duration // from t0 until a receiver could accept; nil: none ever could
}

// report turns the tally into the words of Result.
func (t *stormTally) report(f stormFacts) *Storm {
	slices.Sort(t.Returns)
	s := &Storm{Kind: f.kind, Policy: f.policy, Clients: t.Clients, Back: len(t.Returns), Offline: t.Offline,
		OutageS: secondsOf(f.outage),
		T50S:    t.percentBack(50), T95S: t.percentBack(95), T99S: t.percentBack(99), T100S: t.percentBack(100),
		PeakAttemptsPerS:      float64(maxOf(t.PerBin)) * float64(time.Second/attemptBin),
		LostConnectionSeconds: t.Outages.Seconds()}
	if begin := t.idealFrom(f); f.capacity > 0 && begin != nil {
		s.IdealFromS, s.IdealS = begin, new(*begin+float64(t.Clients)/f.capacity)
	}
	if f.pace > 0 {
		s.IdealFromS, s.IdealS = new(0.0), new(float64(t.Clients)/f.pace)
		s.PacePerS = new(f.pace)
		if rate := t.acceptRate(); rate > 0 {
			s.AcceptRatePerS, s.AcceptOverPace = new(rate), new(rate/f.pace)
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
func (t *stormTally) idealFrom(f stormFacts) *float64 {
	if f.outage == nil || f.kind != "freeze" {
		return secondsOf(f.outage)
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
func (t *stormTally) acceptRate() float64 {
	first, last := len(t.Returns)*5/100, len(t.Returns)*95/100
	if last-first < 10 || t.Returns[last] == t.Returns[first] {
		return 0
	}
	return float64(last-first) / (t.Returns[last] - t.Returns[first]).Seconds()
}

// percentBack is when at least that share of all clients hit was back, never-returning
// ones included in the whole; nil when it never was.
func (t *stormTally) percentBack(percent int) *float64 {
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

// attempt counts one connect() at the given time after t0.
func (t *stormTally) attempt(after time.Duration) {
	t.Attempts++
	countIn(&t.PerBin, after)
}

// countIn adds one to the bin of a time after t0.
func countIn(bins *[]uint32, after time.Duration) {
	reachBin(bins, after)
	(*bins)[int(max(after, 0)/attemptBin)]++
}

// reachBin makes the bins last up to a time after t0.
func reachBin(bins *[]uint32, after time.Duration) {
	for len(*bins) <= int(max(after, 0)/attemptBin) {
		*bins = append(*bins, 0)
	}
}
