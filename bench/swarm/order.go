package swarm

import (
	"time"

	"github.com/stormwheel/stormwheel/bench/tally"
)

// Order is what a fleet asks of a swarm, in this process or in a worker's.
type Order struct {
	Op       Op
	At       time.Duration // Start: on the clock of Monotonic
	Endpoint string        // On; Speaking, Cut: "" is any
	Victims  []string      // Storm
	Flood    bool          // Storm
	Watch    bool          // Storm
	T0       time.Duration // Storm, FoundStorm, Arrive, Talk
	Ramp     *Arrivals     // Arrive
	Count    int           // Mute, Cut; RollCall: the round
	For      time.Duration // Talk
}

// Op is what an Order asks for.
type Op uint8

// What may be asked, and what of the Answer is filled beyond the counts.
const (
	Start    Op = iota + 1
	Counts      // Counters, Ready, Peak
	Progress    // the same, and Recent
	On          // Count
	Timeout     // Longest
	Interval    // Longest
	Speaking    // Count
	Mute        // Count
	Storm
	Losses     // Bins
	FoundStorm // no Answer
	Cut        // Count, Silent
	Settle
	Unsettle
	Arrive
	RollCall
	CloseCount
	BeginTalk
	Hear
	Owing  // Count
	Ledger // Ledger
	EndStorm
	Finish // Tally
)

// Answer is what a swarm says to an order. Each has the counts; the rest is as the order
// says.
type Answer struct {
	Counters tally.Counters
	Ready    int
	Peak     int
	Recent   *tally.Recent
	Count    int
	Silent   int // of them
	Longest  time.Duration
	Bins     []uint32 // since T0 of Storm
	Tally    *tally.Tally
	Ledger   *tally.Ledger
	Fault    string // the swarm could not be made
}

// Do carries out one order.
func (s *Swarm) Do(o Order) Answer {
	var a Answer
	switch o.Op {
	case Start:
		s.Start(o.At)
	case Progress:
		_, a.Recent = s.Progress()
	case On:
		a.Count = s.On(o.Endpoint)
	case Timeout:
		a.Longest = s.LongestTimeout()
	case Interval:
		a.Longest = s.LongestInterval()
	case Speaking:
		a.Count = len(s.speaking(o.Endpoint))
	case Mute:
		a.Count = s.Mute(o.Count)
	case Storm:
		s.begin(&stormStart{t0: o.T0, victims: o.Victims, flood: o.Flood, watched: o.Watch})
	case Losses:
		a.Bins = s.losses()
	case FoundStorm:
		s.found(o.T0)
	case Cut:
		a.Count, a.Silent = s.Cut(o.Endpoint, o.Count)
	case Settle:
		s.Settle()
	case Unsettle:
		s.Unsettle()
	case Arrive:
		s.Arrive(*o.Ramp, o.T0)
	case RollCall:
		s.RollCall(o.Count)
	case CloseCount:
		s.CloseCount()
	case BeginTalk:
		s.Talk(o.T0, o.For)
	case Hear:
		s.Hear()
	case Owing:
		a.Count = s.Owing()
	case Ledger:
		a.Ledger = s.Ledger()
	case EndStorm:
		s.EndStorm()
	case Finish:
		t := s.Finish()
		a.Tally = &t
	}
	a.Counters, a.Ready, a.Peak = s.Counts(), s.Ready(), int(s.peak.Load())
	return a
}
