package result

import (
	"strconv"
)

// Storm describes the recovery. Its times count from t0, the moment the signal was sent.
type Storm struct {
	Kind    string `json:"kind"`
	Policy  string `json:"policy"`
	Clients int    `json:"clients" early:"grows"` // lost a ready session at or after t0, or were told to move it
	Back    int    `json:"back" early:"moves"`    // of those, in service again at the end
	Offline int    `json:"offline"`               // of those, without a ready session at some time after t0
	// OutageS is from t0 until a receiver could accept: 0 where others stand in; null if none
	// ever could.
	OutageS *float64 `json:"outage_s"`
	// DrainS is how long a node that was asked to end took to do so; null if none was.
	DrainS *float64 `json:"drain_s"`
	// IdealFromS is from t0 until a client could come back at the earliest: OutageS, and in a freeze
	// the moment when the first client had noticed, to a tenth of a second.
	IdealFromS *float64 `json:"ideal_from_s"`
	// IdealS is IdealFromS + Clients / C, C being what the receiving nodes admit per second, or in
	// a drain its pace; null when nobody said what a foreign target admits, or nobody noticed.
	IdealS *float64 `json:"ideal_s" early:"moves"`
	// A client that was offline is back at the first PONG after the WELCOME of its last
	// return; one that moved without a gap, at the WELCOME of the node it moved to. TxxS is null
	// when fewer than xx percent are.
	T50S  *float64 `json:"t50_s" early:"moves"`
	T95S  *float64 `json:"t95_s" early:"moves"`
	T99S  *float64 `json:"t99_s" early:"moves"`
	T100S *float64 `json:"t100_s" early:"moves"`
	// AttemptsPerSuccess is all connect() calls after t0 by Back; null when nobody is back.
	AttemptsPerSuccess *float64 `json:"attempts_per_success"`
	PeakAttemptsPerS   float64  `json:"peak_attempts_per_s"` // busiest 100 ms, times ten
	// GoodputPerS is null if clients waited for less than a second.
	GoodputPerS *Goodput `json:"goodput_per_s"`
	// LongestGapS is the longest time without a return while clients waited for one, to a tenth of
	// a second, counted as GoodputPerS; null if no receiver ever could accept.
	LongestGapS *float64 `json:"longest_gap_s"`
	// LostConnectionSeconds sums, over all outages after t0, the time from the loss as the
	// client saw it to its return, or to the end of the run.
	LostConnectionSeconds float64 `json:"lost_connection_seconds"`
	// PacePerS is at how many clients a second the draining node tells them to go, by its
	// flags. AcceptRatePerS is how many a second the receivers welcomed, as the clients saw
	// it, between t5 and t95; null for fewer than a dozen. AcceptOverPace is the second by
	// the first. All null but in a drain.
	PacePerS       *float64 `json:"pace_per_s"`
	AcceptRatePerS *float64 `json:"accept_rate_per_s"`
	AcceptOverPace *float64 `json:"accept_over_pace"`
	// CutBy is how a cut ended the connections: "silence", without FIN and RST, or "rst"; null
	// in other storms.
	CutBy *string `json:"cut_by"`
	// GhostsGoneS is how long spawned nodes held connections that nobody had any more: since a
	// cut, or since a frozen node went on; null in other storms, and if they still do.
	GhostsGoneS *float64 `json:"ghosts_gone_s"`
	// CapacityPerS is C, as it was told or is known; null if nobody knows.
	CapacityPerS *float64 `json:"capacity_per_s"`
	// T0By is who knew when it began.
	T0By string `json:"t0_by"`
	// Command is what brought about a storm from outside; null if the run did, or nobody says what.
	Command *Command `json:"command"`
}

// Who knew when a storm began.
const (
	T0ByRun     = "run"     // which struck itself
	T0ByCommand = "command" // --storm-cmd, --drain-cmd: as it was started
	T0ByClock   = "clock"   // --storm-at
	T0ByLosses  = "losses"  // when the clients began to lose their sessions, to a tenth of a second
)

// Command is a command line of the user's that strikes the targets.
type Command struct {
	Line  string  `json:"line"`
	TookS float64 `json:"took_s"`
	Exit  *int    `json:"exit"` // status; null: a signal ended it
	// Failed is why the storm is not the one that was asked for; null: it ended with status 0.
	Failed *string `json:"failed"`
	Said   string  `json:"said"` // the last of what it wrote, standard error included
}

// How a storm of the kind cut ended the connections.
const (
	CutSilently = "silence" // the nodes were told nothing
	CutByReset  = "rst"     // for want of CAP_NET_ADMIN
	CutByClose  = "close"   // as unix sockets are
)

// Cohort is what became of the clients of one policy in a storm.
type Cohort struct {
	Policy             string   `json:"policy"`
	Clients            int      `json:"clients"` // hit
	Back               int      `json:"back"`
	T50S               *float64 `json:"t50_s"`
	T95S               *float64 `json:"t95_s"`
	T99S               *float64 `json:"t99_s"`
	T100S              *float64 `json:"t100_s"`
	AttemptsPerSuccess *float64 `json:"attempts_per_success"`
	PeakAttemptsPerS   float64  `json:"peak_attempts_per_s"`
}

// CohortHistogram names the returns of a cohort in Detail.
func CohortHistogram(i int) string { return "return_" + strconv.Itoa(i) }

// Goodput is how many clients a second came into service: with WELCOME and a first PONG,
// those again that were lost again. Whole seconds count, from the first moment a receiver
// could accept and while at least a twentieth of the storm's clients wait.
type Goodput struct {
	Best   float64 `json:"best"`
	Median float64 `json:"median"`
}
