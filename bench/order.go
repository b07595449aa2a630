package bench

import "time"

// order is what a fleet asks of a swarm, in this process or in a worker's.
type order struct {
	Op       orderOp
	At       time.Duration // opStart: on the clock of monotonic
	Endpoint string        // opOn; opSpeaking, opCut: "" is any
	Victims  []string      // opStorm
	Flood    bool          // opStorm
	T0       time.Duration // opStorm, opArrive
	Ramp     *arrivals     // opArrive
	Count    int           // opMute, opCut; opRollCall: the round
}

type orderOp uint8

const (
	opStart    orderOp = iota + 1
	opCounts           // Counters, Ready, Peak
	opProgress         // the same, and Recent
	opOn               // Count
	opTimeout          // Longest
	opInterval         // Longest
	opSpeaking         // Count
	opMute             // Count
	opStorm
	opCut // Count, Silent
	opSettle
	opUnsettle
	opArrive
	opRollCall
	opCloseCount
	opFinish // Tally
)

// answer is what a swarm says to an order. Each has the counts; the rest is as the order
// says.
type answer struct {
	Counters counters
	Ready    int
	Peak     int
	Recent   *recentsWire
	Count    int
	Silent   int // of them
	Longest  time.Duration
	Tally    *tally
	Fault    string // the swarm could not be made
}

// do carries out one order.
func (s *swarm) do(o order) answer {
	var a answer
	switch o.Op {
	case opStart:
		s.Start(o.At)
	case opProgress:
		_, recent := s.Progress()
		a.Recent = recent.export()
	case opOn:
		a.Count = s.On(o.Endpoint)
	case opTimeout:
		a.Longest = s.LongestTimeout()
	case opInterval:
		a.Longest = s.LongestInterval()
	case opSpeaking:
		a.Count = len(s.speaking(o.Endpoint))
	case opMute:
		a.Count = s.Mute(o.Count)
	case opStorm:
		s.begin(&stormStart{t0: o.T0, victims: o.Victims, flood: o.Flood})
	case opCut:
		a.Count, a.Silent = s.Cut(o.Endpoint, o.Count)
	case opSettle:
		s.Settle()
	case opUnsettle:
		s.Unsettle()
	case opArrive:
		s.Arrive(*o.Ramp, o.T0)
	case opRollCall:
		s.RollCall(o.Count)
	case opCloseCount:
		s.CloseCount()
	case opFinish:
		t := s.Finish()
		a.Tally = &t
	}
	a.Counters, a.Ready, a.Peak = s.Counts(), s.Ready(), int(s.peak.Load())
	return a
}
