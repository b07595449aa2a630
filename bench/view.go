package bench

import (
	"io"
	"time"

	"github.com/stormwheel/stormwheel/bench/result"
	"github.com/stormwheel/stormwheel/bench/tally"
)

// View is where a run shows itself. The zero View shows nothing.
type View struct {
	Progress io.Writer // a line a second, and what happens
	CSV      io.Writer // a row a second
	// Watch is told of every second and event, by several goroutines, one at a time. It must
	// not block: the run waits for it.
	Watch func(Update)
	// Each is told of each run of several (Config.Repeat), from 1, when it is over.
	Each func(number int, r *result.Result)
}

// Update is what a run shows of itself while it runs: one a second, and one whenever
// something happens. It is a copy that the receiver may keep.
type Update struct {
	Scenario string
	Kind     string // of the storm; empty: there is none
	Target   int    // clients
	At       time.Duration
	Phase    Phase
	Event    string // what has just happened; empty: a second has passed
	// Status is nil with an event.
	Status *Status
}

// Phase is a part of a scenario.
type Phase struct {
	Name  string // empty: the scenario does not tell
	Since time.Duration
	// AtMost is how long it may last; 0: nobody knows.
	AtMost time.Duration
}

// Status is the state of a run at the end of a second. What could not be measured, or has
// not occurred, is nil. Percentiles are good to two digits.
type Status struct {
	result.Second
	Failures   result.Failures     // so far
	Messages   *result.Messages    // so far; nil: none are carried
	RTT        *result.Percentiles // so far; those of the second are in Second
	Lateness   *result.Lateness    // of the evictions so far
	Recovery   *tally.Recovery
	Servers    []result.Server // in the order of Result.Server
	Generator  result.Generator
	LateSecond *result.GeneratorLate // of this second; that of the run is in Generator
	Outlook    []result.Outlook
	Phases     []result.PhaseSeen // those that have begun
	Events     []result.Event     // what has befallen the run so far, as the result will have it
}
